package org.ascus.tests.robustness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.LifeOptions;
import org.ascus.polyglot.Vm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reads and writes of every width, aligned or not, at random places of the whole board. */
@Timeout(120)
class JunkAccessTest {
  /** Accesses through the address space; {@code ascus.junk.accesses} asks for more. */
  private static final int ACCESSES = Integer.getInteger("ascus.junk.accesses", 200_000);

  private static final long SEED = Long.getLong("ascus.junk.seed", 20_250_607);
  private static final long TEST_DEVICE = 0x10_0000;

  /**
   * A guest that accesses the board's devices, its holes and the ends of its memory at random; a quarter of the
   * accesses is misaligned. It leaves out the test device, which would end it.
   */
  private static final String GUEST =
      """
      start:
        la t0, handler
        csrw mtvec, t0
        csrw mie, zero
        li s0, %d
        li s1, %d
        la s2, places
        li s3, 0
      next:
        # s0 = xorshift64(s0)
        slli t0, s0, 13
        xor s0, s0, t0
        srli t0, s0, 7
        xor s0, s0, t0
        slli t0, s0, 17
        xor s0, s0, t0
        # A place of the table, and an offset of it: a small one or any.
        andi t0, s0, 31
        slli t0, t0, 4
        add t0, t0, s2
        ld t1, 0(t0)
        ld t2, 8(t0)
        srli t3, s0, 8
        and t3, t3, t2
        srli t4, s0, 5
        andi t4, t4, 1
        beqz t4, 1f
        andi t3, t3, 0x7f
      1:
        srli t4, s0, 6
        andi t4, t4, 3
        beqz t4, 2f
        andi t3, t3, -8
      2:
        add t1, t1, t3
        # The value: a small one or any.
        srli a0, s0, 24
        srli t4, s0, 40
        andi t4, t4, 1
        beqz t4, 3f
        andi a0, a0, 0x1f
      3:
        srli t4, s0, 48
        andi t4, t4, 15
        slli t4, t4, 3
        la t5, accesses
        add t4, t4, t5
        jr t4
      accesses:
        lb a0, 0(t1)
        j more
        lh a0, 0(t1)
        j more
        lw a0, 0(t1)
        j more
        lwu a0, 0(t1)
        j more
        ld a0, 0(t1)
        j more
        lr.w a0, (t1)
        j more
        amoor.d a0, a0, (t1)
        j more
        fld fa0, 0(t1)
        j more
        sb a0, 0(t1)
        j more
        sh a0, 0(t1)
        j more
        sw a0, 0(t1)
        j more
        sw a0, 0(t1)
        j more
        sw a0, 0(t1)
        j more
        sd a0, 0(t1)
        j more
        sd a0, 0(t1)
        j more
        amoadd.w a0, a0, (t1)
        j more
      more:
        addi s1, s1, -1
        bnez s1, next
        # Most of the accesses worked, but not all.
        li t0, 0x100000
        li t1, 0x13333
        beqz s3, end
        li t2, %d
        bgtu s3, t2, end
        li t1, 0x5555
      end:
        sw t1, 0(t0)
        j end
      .balign 4
      handler:
        addi s3, s3, 1
        csrr t0, mepc
        addi t0, t0, 4
        csrw mepc, t0
        mret
      .balign 8
      # Base and mask of an offset.
      places:
        .dword 0x0, 0xffff, 0x1000, 0xfff, 0x101000, 0xfff, 0x101000, 0x3f
        .dword 0x2000000, 0xffff, 0x200bff8, 0xf, 0x2004000, 0x1f, 0xc000000, 0x5fffff
        .dword 0xc000000, 0x3fff, 0xc200000, 0xffff, 0x10000000, 0xff, 0x10000000, 0x7
        .dword 0x10001000, 0x7fff, 0x10005000, 0x3fff, 0x10006000, 0x1ff, 0x10007000, 0x1ff
        .dword 0x10008000, 0x1ff, 0x10006000, 0xff, 0x10007000, 0xff, 0x10008000, 0xff
        .dword 0x10100000, 0x1f, 0x10100008, 0xf, 0x10100000, 0xffff, 0x20000000, 0x3ffffff
        .dword 0x20000000, 0xff, 0x22000000, 0x3ffffff, 0x24000000, 0xfff, 0x30000000, 0xfffffff
        .dword 0x80fffff8, 0x1f, 0x80ffff00, 0x1ff, 0x80800000, 0xffff, 0x40000000, 0x3fffffff
      """;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"INTERPRETER,100000,1", "INTERPRETER,100000,2", "TRUFFLE,100000,3", "TRUFFLE,100000,4"})
  void aGuestMayAccessAnything(Accelerator accelerator, int accesses, long seed) throws Exception {
    long state = 0x9e37_79b9_7f4a_7c15L * seed | 1;
    new HostileRun().passes(folder, accelerator, GUEST.formatted(state, accesses, accesses / 2 + accesses / 8));
  }

  private static long address(AddressSpace memory, Random random) {
    List<FlatView.Range> ranges = memory.view().ranges();
    FlatView.Range range = ranges.get(random.nextInt(ranges.size()));
    return switch (random.nextInt(8)) {
      case 0 -> range.end() - 8 + random.nextInt(16);
      case 1 -> range.start() - 8 + random.nextInt(16);
      case 2, 3 -> range.start() + random.nextLong(range.size());
      case 4 -> random.nextLong();
      default -> range.start() + random.nextInt(0x120);
    };
  }

  private static void access(AddressSpace memory, Random random) {
    long address = address(memory, random);
    if (random.nextInt(4) != 0) {
      address &= -8;
    }
    if (address >= TEST_DEVICE - 64 && address < TEST_DEVICE + 8) {
      return;
    }
    int width = 1 << random.nextInt(4);
    long value = random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(256);
    try {
      switch (random.nextInt(8)) {
        case 0, 1, 2 -> memory.read(address, width);
        case 3, 4, 5 -> memory.write(address, width, value);
        case 6 -> memory.read(address, new byte[64], 0, 1 + random.nextInt(64));
        default -> memory.write(address, new byte[64], 0, 1 + random.nextInt(64));
      }
    } catch (BusFault e) {
      // Nobody there: a CPU would make it an access fault.
    }
  }

  @Test
  void aBusMasterMayAccessAnything() throws Exception {
    HostileRun run = new HostileRun();
    Random random = new Random(SEED);
    try (Vm vm =
        run.board(folder, Accelerator.INTERPRETER)
            .bios(new Firmware.None())
            .life(new LifeOptions(true, false, false))
            .build()) {
      vm.start();
      AddressSpace memory = vm.machine().memory();
      for (int i = 0; i < ACCESSES; i++) {
        int index = i;
        assertThatCode(() -> access(memory, random)).as("access %s of seed %s", index, SEED).doesNotThrowAnyException();
      }
      byte[] state = vm.save();
      vm.load(state);
      assertThat(vm.save()).isEqualTo(state);
    }
    run.checkHost();
  }
}
