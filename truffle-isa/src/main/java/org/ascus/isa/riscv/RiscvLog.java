package org.ascus.isa.riscv;

import java.util.List;
import org.ascus.isa.asm.Disassembler;
import org.ascus.isa.cpu.Block;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.trace.Log;

/** What a hart tells the {@code -d} log, in the shape in which QEMU tells it. */
final class RiscvLog {
  private static final String RULE = "-".repeat(16);
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int EXECUTE = 4;

  private static final List<String> EXCEPTIONS =
      List.of(
          "misaligned_fetch", "fault_fetch", "illegal_instruction", "breakpoint", "misaligned_load", "fault_load",
          "misaligned_store", "fault_store", "user_ecall", "supervisor_ecall", "hypervisor_ecall", "machine_ecall",
          "exec_page_fault", "load_page_fault", "reserved", "store_page_fault");
  private static final List<String> INTERRUPTS =
      List.of(
          "u_software", "s_software", "vs_software", "m_software", "u_timer", "s_timer", "vs_timer", "m_timer",
          "u_external", "s_external", "vs_external", "m_external");

  private final RiscvHart hart;
  private final Log log;

  RiscvLog(RiscvHart hart, Log log) {
    this.hart = hart;
    this.log = log;
  }

  /** {@code int}: a trap or interrupt is about to be taken. */
  void interrupt(boolean async, int cause, long value) {
    if (!log.isOn(Log.Category.INT)) {
      return;
    }
    log.log(
        Log.Category.INT,
        () -> {
          List<String> names = async ? INTERRUPTS : EXCEPTIONS;
          return "riscv_cpu_do_interrupt: hart:%d, async:%d, cause:%016x, epc:0x%016x, tval:0x%016x, desc=%s"
              .formatted(
                  hart.index(), async ? 1 : 0, cause, hart.pc, value,
                  cause < names.size() ? names.get(cause) : "(unknown)");
        });
  }

  /** {@code guest_errors}: an access met nothing; {@code what} it was, with a preposition. */
  void fault(String what, long va, long physical, int width) {
    log.log(
        Log.Category.GUEST_ERRORS,
        () ->
            "hart %d: %s unassigned physical address 0x%x (virtual 0x%x, %d bytes)"
                .formatted(hart.index(), what, physical, va, width));
  }

  /** {@code in_asm}: {@code block} at {@code pc} was decoded. */
  void decoded(Block block, long pc) {
    log.log(
        Log.Category.IN_ASM,
        () -> {
          Disassembler disassembler = RiscvDialect.disassembler();
          StringBuilder text = new StringBuilder(RULE).append("\nIN: \n");
          text.append("Priv: ").append(hart.mode).append("; Virt: 0\n");
          for (int i = 0; i < block.code.length; i++) {
            int bits = bits(block, block.offsets[i], block.offsets[i + 1]);
            boolean word = block.offsets[i + 1] - block.offsets[i] == 4;
            long at = pc + block.offsets[i];
            String hex = String.format(word ? "%08x" : "%04x    ", bits);
            text.append(String.format("0x%016x:  %s          %s%n", at, hex, disassembler.disassemble(at, bits)));
          }
          return text.toString();
        });
  }

  /** The instruction of {@code block} in its bytes {@code from} to {@code to}. */
  private int bits(Block block, int from, int to) {
    long high = block.secondPage >= 0 ? block.secondPage : block.physical + from + 2;
    try {
      int low = (int) hart.memory.read(block.physical + from, 2) & 0xffff;
      return to - from == 4 ? low | (int) hart.memory.read(high, 2) << 16 : low;
    } catch (BusFault e) {
      throw new IllegalStateException("a block was decoded where no memory is", e);
    }
  }

  boolean logsBlocks() {
    return log.isOn(Log.Category.EXEC) || log.isOn(Log.Category.CPU);
  }

  /** {@code exec} and {@code cpu}: {@code block} at the hart's pc is about to run. */
  void executes(Block block) {
    log.log(
        Log.Category.EXEC,
        () ->
            "Trace %d: 0x%x [%016x/%016x/%08x/%08x] "
                .formatted(hart.index(), block.physical, 0, hart.pc, hart.mode, 0));
    log.log(
        Log.Category.CPU, () -> RiscvRegisters.describe(hart, log.isOn(Log.Category.FPU)).stripTrailing());
  }

  /**
   * {@code mmu}: an address was looked up for the soft TLB.
   *
   * @param access LOAD, STORE or FETCH of {@link PageWalker}
   * @param physical what the walker returned
   */
  void translated(long va, int access, int accessMode, long physical, PageWalker walker) {
    if (!log.isOn(Log.Category.MMU)) {
      return;
    }
    log.log(
        Log.Category.MMU,
        () -> {
          int allowed = walker.readable ? READ : 0;
          allowed |= walker.writable ? WRITE : 0;
          allowed |= access == PageWalker.FETCH ? EXECUTE : 0;
          boolean found = physical >= 0;
          String result = " ret %d physical %016x prot %d".formatted(
              found ? 0 : -physical, found ? physical : 0, found ? allowed : 0);
          return "riscv_cpu_tlb_fill ad %x rw %d mmu_idx %d%nriscv_cpu_tlb_fill address=%x"
              .formatted(va, access, accessMode, va) + result;
        });
  }
}
