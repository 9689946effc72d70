package org.ascus.isa.code;

import java.util.Optional;

/**
 * What the emitters have to know of an instruction in the middle of a block.
 *
 * @param inline whether it is emitted; if not, it is left to tier 0
 * @param guarded whether something must be checked before it, see {@link StraightCode#guard}
 * @param access the memory that it loads or stores
 * @param alone whether something that only its operands tell must be checked before it, see
 *     {@link BlockAssembler#unless}: it makes up a stretch
 * @param reads slots that it reads, as a bit set
 * @param writes slots that it writes, as a bit set
 */
public record Effect(boolean inline, boolean guarded, Optional<Access> access, boolean alone, long reads, long writes) {
  /**
   * A load or store of 2<sup>{@code widthLog2}</sup> bytes at {@code displacement} from register {@code base}.
   *
   * @param store whether memory is written
   */
  public record Access(int base, int displacement, int widthLog2, boolean store) {}
}
