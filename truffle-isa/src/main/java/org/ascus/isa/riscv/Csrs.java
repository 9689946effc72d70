package org.ascus.isa.riscv;

import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.fp.FpFlags;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * Control and status registers of a hart, with the access rules and WARL behaviour of the privileged specification 1.12
 * (chapters "Control and Status Registers", "Machine-Level ISA" and "Supervisor-Level ISA") and Sstc.
 */
final class Csrs {
  private static final long SUPERVISOR_INTERRUPTS = 1L << Cause.SSI | 1L << Cause.STI | 1L << Cause.SEI;
  private static final long ALL_INTERRUPTS =
      SUPERVISOR_INTERRUPTS | 1L << Cause.MSI | 1L << Cause.MTI | 1L << Cause.MEI;
  private static final long DELEGABLE_EXCEPTIONS = 0xb3ff & ~(1L << 10) & ~(1L << 14);
  private static final long STCE = 1L << 63;
  private static final long PBMTE = 1L << 62;
  private static final long ADUE = 1L << 61;
  private static final long CBZE = 1L << 7;
  private static final long CBCFE = 1L << 6;
  private static final long CBIE = 3L << 4;
  private static final long FIOM = 1;

  private final RiscvHart hart;
  private final RiscvConfig config;
  private final boolean counters;
  private final boolean floatingPoint;
  private final boolean sstc;
  private final long pcMask;
  private final VirtualClock.Timer timer;

  long mtvec;
  long mepc;
  long mcause;
  long mtval;
  long mscratch;
  long medeleg;
  long mideleg;
  long mie;
  private long mipSoft;
  long stvec;
  long sepc;
  long scause;
  long stval;
  long sscratch;
  long satp;
  private long mcounteren;
  private long scounteren;
  private long mcountinhibit;
  private long menvcfg;
  private long senvcfg;
  private long stimecmp;
  private volatile boolean stimeDue;
  private long cycleOffset;
  private long instretOffset;
  int frm;

  Csrs(RiscvHart hart) {
    this.hart = hart;
    this.config = hart.config;
    this.counters = config.has("zicntr");
    this.floatingPoint = config.has("f");
    this.sstc = config.has("sstc");
    this.pcMask = config.has("c") ? -2L : -4L;
    this.timer =
        hart.clock.newTimer(
            () -> {
              stimeDue = true;
              hart.wake();
            });
  }

  void reset() {
    setMstatus(Status.UXL_64 | Status.SXL_64);
    mtvec = 0;
    mepc = 0;
    mcause = 0;
    mtval = 0;
    mscratch = 0;
    medeleg = 0;
    mideleg = 0;
    mie = 0;
    takeSoftwareEdge();
    mipSoft = 0;
    stvec = 0;
    sepc = 0;
    scause = 0;
    stval = 0;
    sscratch = 0;
    satp = 0;
    mcounteren = 0;
    scounteren = 0;
    mcountinhibit = 0;
    menvcfg = config.has("svadu") ? ADUE : 0;
    senvcfg = 0;
    stimecmp = -1L;
    stimeDue = false;
    timer.cancel();
    cycleOffset = 0;
    instretOffset = 0;
    frm = 0;
  }

  // ---- mstatus ----

  /** It is where host code can reach it. */
  long mstatus() {
    return hart.regs[Slots.STATUS];
  }

  /** To be followed by {@link RiscvHart#updateContext} if more than interrupt enables and FS change. */
  void setMstatus(long value) {
    hart.regs[Slots.STATUS] = value;
  }

  // ---- interrupts ----

  private boolean stce() {
    return (menvcfg & STCE) != 0;
  }

  long mip() {
    long value = mipSoft | hart.lines.get();
    if (stce()) {
      value = value & ~(1L << Cause.STI) | (stimeDue ? 1L << Cause.STI : 0);
    }
    return value;
  }

  /** True if an interrupt is pending, enabled and not masked by the mode. */
  @BetweenRegions
  boolean interruptReady() {
    long pending = mip() & mie;
    if (pending == 0) {
      return false;
    }
    return takeable(pending) != 0;
  }

  private long takeable(long pending) {
    long m = pending & ~mideleg;
    long s = pending & mideleg;
    boolean mOn = hart.mode < Status.M || (mstatus() & Status.MIE) != 0;
    boolean sOn = hart.mode < Status.S || hart.mode == Status.S && (mstatus() & Status.SIE) != 0;
    if (mOn && m != 0) {
      return m;
    }
    return sOn ? s : 0;
  }

  /** The interrupt to take, by the fixed priority MEI, MSI, MTI, SEI, SSI, STI. */
  int nextInterrupt() {
    long ready = takeable(mip() & mie);
    for (int cause : new int[] {Cause.MEI, Cause.MSI, Cause.MTI, Cause.SEI, Cause.SSI, Cause.STI}) {
      if ((ready >>> cause & 1) != 0) {
        return cause;
      }
    }
    throw new IllegalStateException("no interrupt is ready");
  }

  // ---- derived switches ----

  boolean hardwareAd() {
    return (menvcfg & ADUE) != 0;
  }

  boolean pbmt() {
    return (menvcfg & PBMTE) != 0;
  }

  boolean fpOff() {
    return (mstatus() & Status.FS) == 0;
  }

  /** Ticks of the time CSR. */
  long time() {
    return hart.clock.nanos() / RiscvHart.TICK_NANOS + hart.timeOffset;
  }

  /** The time CSR has jumped. */
  void timeMoved() {
    writeStimecmp(stimecmp);
  }

  private long instructions() {
    return hart.instructionCount() - hart.trapsTaken;
  }

  boolean wfiTraps() {
    return hart.mode == Status.U || hart.mode == Status.S && (mstatus() & Status.TW) != 0;
  }

  boolean cacheBlockAllowed(boolean zero) {
    long m = zero ? CBZE : CBCFE;
    return hart.mode == Status.M
        || (menvcfg & m) != 0 && (hart.mode == Status.S || (senvcfg & m) != 0);
  }

  boolean cacheInvalAllowed() {
    return hart.mode == Status.M
        || (menvcfg & CBIE) != 0 && (hart.mode == Status.S || (senvcfg & CBIE) != 0);
  }

  // ---- access ----

  /** False if the current mode may not access {@code csr} or there is none, or a read-only one would be written. */
  @BetweenRegions
  boolean accessible(int csr, boolean write) {
    if (hart.mode < (csr >>> 8 & 3) || write && csr >>> 10 == 3) {
      return false;
    }
    if (csr >= 0xc00 && csr <= 0xc1f) {
      long bit = 1L << (csr & 31);
      return counters
          && (hart.mode == Status.M || (mcounteren & bit) != 0 && (hart.mode == Status.S || (scounteren & bit) != 0));
    }
    if (csr >= 0xb03 && csr <= 0xb1f || csr >= 0x323 && csr <= 0x33f) {
      return true;
    }
    if (csr >= 0x3a0 && csr <= 0x3af) {
      return (csr & 1) == 0 && (csr - 0x3a0) * 4 < config.pmpRegions();
    }
    if (csr >= 0x3b0 && csr <= 0x3ef) {
      return csr - 0x3b0 < config.pmpRegions();
    }
    return switch (csr) {
      case 1, 2, 3 -> floatingPoint && !fpOff();
      case 0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142, 0x143, 0x144 -> true;
      case 0x14d ->
          sstc && (hart.mode == Status.M || stce() && (mcounteren & 2) != 0);
      case 0x180 -> !(hart.mode == Status.S && (mstatus() & Status.TVM) != 0);
      case 0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x30a, 0x320 -> true;
      case 0x340, 0x341, 0x342, 0x343, 0x344 -> true;
      case 0x7a0, 0x7a1, 0x7a2, 0x7a3 -> true;
      case 0xb00, 0xb02 -> true;
      case 0xf11, 0xf12, 0xf13, 0xf14, 0xf15 -> true;
      default -> false;
    };
  }

  @BetweenRegions
  long read(int csr) {
    if (csr >= 0xc03 && csr <= 0xc1f || csr >= 0xb03 && csr <= 0xb1f || csr >= 0x323 && csr <= 0x33f) {
      return 0;
    }
    if (csr >= 0x3a0 && csr <= 0x3af) {
      return hart.pmp.readConfig(csr - 0x3a0);
    }
    if (csr >= 0x3b0 && csr <= 0x3ef) {
      return hart.pmp.readAddress(csr - 0x3b0);
    }
    return switch (csr) {
      case 1 -> hart.fp.flags;
      case 2 -> frm;
      case 3 -> (long) frm << 5 | hart.fp.flags;
      case 0x100 -> status() & (Status.SSTATUS | Status.UXL_64 | Status.SD);
      case 0x104 -> mie & mideleg;
      case 0x105 -> stvec;
      case 0x106 -> scounteren;
      case 0x10a -> senvcfg;
      case 0x140 -> sscratch;
      case 0x141 -> sepc & pcMask();
      case 0x142 -> scause;
      case 0x143 -> stval;
      case 0x144 -> mip() & mideleg;
      case 0x14d -> stimecmp;
      case 0x180 -> satp;
      case 0x300 -> status();
      case 0x301 -> config.misa();
      case 0x302 -> medeleg;
      case 0x303 -> mideleg;
      case 0x304 -> mie;
      case 0x305 -> mtvec;
      case 0x306 -> mcounteren;
      case 0x30a -> menvcfg;
      case 0x320 -> mcountinhibit;
      case 0x340 -> mscratch;
      case 0x341 -> mepc & pcMask();
      case 0x342 -> mcause;
      case 0x343 -> mtval;
      case 0x344 -> mip();
      case 0xb00, 0xc00 -> (mcountinhibit & 1) != 0 ? cycleOffset : hart.instructionCount() + cycleOffset;
      case 0xb02, 0xc02 -> (mcountinhibit & 4) != 0 ? instretOffset : instructions() + instretOffset;
      case 0xc01 -> time();
      case 0xf14 -> hart.index();
      default -> 0;
    };
  }

  /**
   * What CSRRS and CSRRC set and clear bits of: the CSR, but for mip without the levels of the interrupt lines, which a
   * write back would latch (privileged specification, "Machine Interrupt Registers", on SEIP).
   */
  long readToModify(int csr) {
    takeSoftwareEdge();
    return csr == 0x344 ? mipSoft : read(csr);
  }

  /** From here on software alone says whether a supervisor software interrupt that came by its line is pending. */
  private void takeSoftwareEdge() {
    if ((hart.lines.get() & 1L << Cause.SSI) != 0) {
      hart.lines.getAndUpdate(v -> v & ~(1L << Cause.SSI));
      mipSoft |= 1L << Cause.SSI;
    }
  }

  private long pcMask() {
    return pcMask;
  }

  private long status() {
    return mstatus() | ((mstatus() & Status.FS) == Status.FS ? Status.SD : 0);
  }

  @BetweenRegions
  void write(int csr, long value) {
    if (csr >= 0x3a0 && csr <= 0x3af) {
      hart.pmp.writeConfig(csr - 0x3a0, value);
      hart.flushAll();
      return;
    }
    if (csr >= 0x3b0 && csr <= 0x3ef) {
      hart.pmp.writeAddress(csr - 0x3b0, value);
      hart.flushAll();
      return;
    }
    switch (csr) {
      case 1 -> {
        hart.fp.flags = (int) value & FpFlags.ALL;
        fpDirty();
      }
      case 2 -> {
        frm = (int) value & 7;
        fpDirty();
      }
      case 3 -> {
        hart.fp.flags = (int) value & FpFlags.ALL;
        frm = (int) value >>> 5 & 7;
        fpDirty();
      }
      case 0x100 -> writeStatus(mstatus() & ~Status.SSTATUS | value & Status.SSTATUS);
      case 0x104 -> mie = mie & ~mideleg | value & mideleg;
      case 0x105 -> stvec = (value & 3) < 2 ? value : stvec;
      case 0x106 -> scounteren = value & 0xffffffffL;
      case 0x10a -> senvcfg = legalEnv(senvcfg, value, FIOM | CBZE | CBCFE | CBIE);
      case 0x140 -> sscratch = value;
      case 0x141 -> sepc = value & -2L;
      case 0x142 -> scause = value;
      case 0x143 -> stval = value;
      case 0x144 -> {
        long mask = mideleg & 1L << Cause.SSI;
        mipSoft = mipSoft & ~mask | value & mask;
      }
      case 0x14d -> writeStimecmp(value);
      case 0x180 -> writeSatp(value);
      case 0x300 -> {
        long mask = Status.SSTATUS | Status.MIE | Status.MPIE | Status.MPRV | Status.TVM | Status.TW | Status.TSR;
        long next = mstatus() & ~mask | value & mask;
        long mpp = value & Status.MPP;
        if (mpp >>> Status.MPP_SHIFT != 2) {
          next = next & ~Status.MPP | mpp;
        }
        writeStatus(next);
      }
      case 0x302 -> medeleg = value & DELEGABLE_EXCEPTIONS;
      case 0x303 -> mideleg = value & SUPERVISOR_INTERRUPTS;
      case 0x304 -> mie = value & ALL_INTERRUPTS;
      case 0x305 -> mtvec = (value & 3) < 2 ? value : mtvec;
      case 0x306 -> mcounteren = value & 0xffffffffL;
      case 0x30a -> {
        long mask = FIOM | CBZE | CBCFE | CBIE;
        mask |= config.has("sstc") ? STCE : 0;
        mask |= config.has("svpbmt") ? PBMTE : 0;
        mask |= config.has("svadu") ? ADUE : 0;
        menvcfg = legalEnv(menvcfg, value, mask);
        hart.flushAll();
      }
      case 0x320 -> writeInhibit(value & 5);
      case 0x340 -> mscratch = value;
      case 0x341 -> mepc = value & -2L;
      case 0x342 -> mcause = value;
      case 0x343 -> mtval = value;
      case 0x344 -> {
        long mask = SUPERVISOR_INTERRUPTS & ~(stce() ? 1L << Cause.STI : 0);
        mipSoft = mipSoft & ~mask | value & mask;
      }
      case 0xb00 -> cycleOffset = value - ((mcountinhibit & 1) != 0 ? 0 : hart.instructionCount() + 1);
      case 0xb02 -> instretOffset = value - ((mcountinhibit & 4) != 0 ? 0 : instructions() + 1);
      default -> {}
    }
  }

  private long legalEnv(long old, long value, long mask) {
    if ((value & CBIE) == 2L << 4) {
      value = value & ~CBIE | old & CBIE;
    }
    return value & mask;
  }

  private void writeInhibit(long value) {
    long changed = mcountinhibit ^ value;
    long sign = 1;
    if ((changed & 1) != 0) {
      sign = (value & 1) != 0 ? 1 : -1;
      cycleOffset += sign * hart.instructionCount();
    }
    if ((changed & 4) != 0) {
      sign = (value & 4) != 0 ? 1 : -1;
      instretOffset += sign * instructions();
    }
    mcountinhibit = value;
  }

  void writeStatus(long value) {
    if (!floatingPoint) {
      value &= ~Status.FS;
    }
    setMstatus(value);
    hart.updateContext();
  }

  /** Marks the floating-point state dirty. */
  void fpDirty() {
    setMstatus(mstatus() | Status.FS);
  }

  private void writeSatp(long value) {
    int translation = (int) (value >>> 60);
    if (translation != 0 && (translation < 8 || translation > config.maxSatpMode())) {
      return;
    }
    if (translation == 0) {
      value = 0;
    }
    if (value != satp) {
      satp = value;
      hart.satpChanged();
    }
  }

  private void writeStimecmp(long value) {
    stimecmp = value;
    timer.cancel();
    long now = time();
    if (Long.compareUnsigned(value, now) <= 0) {
      stimeDue = true;
      return;
    }
    stimeDue = false;
    long guestTicks = now - hart.timeOffset;
    long ticks = value - now;
    if (ticks > 0 && ticks < Long.MAX_VALUE / RiscvHart.TICK_NANOS - guestTicks) {
      timer.arm((guestTicks + ticks) * RiscvHart.TICK_NANOS);
    }
  }

  /** MRET; the mode and pc it returns to. */
  @BetweenRegions
  void mret() {
    int previous = (int) (mstatus() >>> Status.MPP_SHIFT & 3);
    long status = mstatus() & ~(Status.MIE | Status.MPP) | Status.MPIE;
    if ((mstatus() & Status.MPIE) != 0) {
      status |= Status.MIE;
    }
    if (previous != Status.M) {
      status &= ~Status.MPRV;
    }
    hart.mode = previous;
    hart.pc = mepc & pcMask();
    writeStatus(status);
  }

  @BetweenRegions
  void sret() {
    int previous = (mstatus() & Status.SPP) != 0 ? Status.S : Status.U;
    long status = mstatus() & ~(Status.SIE | Status.SPP | Status.MPRV) | Status.SPIE;
    if ((mstatus() & Status.SPIE) != 0) {
      status |= Status.SIE;
    }
    hart.mode = previous;
    hart.pc = sepc & pcMask();
    writeStatus(status);
  }

  // ---- state ----

  void save(StateWriter out) {
    out.putLongs(
        "csrs", mstatus(), mtvec, mepc, mcause, mtval, mscratch, medeleg, mideleg, mie, mipSoft, stvec, sepc, scause,
        stval, sscratch, satp, mcounteren, scounteren, mcountinhibit, menvcfg, senvcfg, stimecmp, cycleOffset,
        instretOffset, frm);
    out.putLong("lines", hart.lines.get());
    int[] pmpConfig = hart.pmp.config;
    out.putInts("pmpcfg", pmpConfig);
    out.putLongs("pmpaddr", hart.pmp.address);
  }

  void load(StateReader in) throws StateException {
    long[] v = in.getLongs("csrs", 25);
    setMstatus(v[0]);
    mtvec = v[1];
    mepc = v[2];
    mcause = v[3];
    mtval = v[4];
    mscratch = v[5];
    medeleg = v[6] & DELEGABLE_EXCEPTIONS;
    mideleg = v[7] & SUPERVISOR_INTERRUPTS;
    mie = v[8] & ALL_INTERRUPTS;
    mipSoft = v[9] & ALL_INTERRUPTS;
    stvec = v[10];
    sepc = v[11];
    scause = v[12];
    stval = v[13];
    sscratch = v[14];
    satp = v[15];
    mcounteren = v[16];
    scounteren = v[17];
    mcountinhibit = v[18];
    menvcfg = v[19];
    senvcfg = v[20];
    cycleOffset = v[22];
    instretOffset = v[23];
    frm = (int) v[24] & 7;
    hart.lines.set(in.getLong("lines") & ALL_INTERRUPTS);
    long[] pmpConfig = in.getLongs("pmpcfg", hart.pmp.config.length);
    for (int i = 0; i < pmpConfig.length; i++) {
      hart.pmp.config[i] = (int) pmpConfig[i] & 0x9f;
    }
    System.arraycopy(in.getLongs("pmpaddr", hart.pmp.address.length), 0, hart.pmp.address, 0, hart.pmp.address.length);
    hart.pmp.update();
    writeStimecmp(v[21]);
  }
}
