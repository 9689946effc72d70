package org.ascus.isa.riscv;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.mmu.SoftTlb;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * A RISC-V hart: registers x0 to x31 in slots 0 to 31 and f0 to f31 in slots 32 to 63 of {@link #regs}, memory access
 * through PMP and paging, traps and interrupts. Control and status registers are in {@link Csrs}.
 */
public final class RiscvHart extends VCpu {
  /** First slot of the floating-point registers. */
  public static final int F0 = 32;

  /** Bit of {@link #ready}: using the floating-point unit needs no bookkeeping. */
  static final int FP_READY = 1;

  /** Bit of {@link #ready}: as {@link #FP_READY}, and the dynamic rounding mode is a legal one. */
  static final int ROUNDING_READY = 2;

  /** Bit of {@link #ready}: CBO.ZERO is allowed. */
  static final int ZERO_READY = 4;

  /** Bit of {@link #ready}: as {@link #FP_READY}, and the dynamic rounding mode is to the nearest. */
  static final int NEAREST_READY = 8;

  /** Bit of {@link #ready}: sstatus may be accessed, and to enable interrupts lets none in. */
  static final int STATUS_READY = 16;

  /** Bytes that CBO.ZERO zeroes. */
  static final int CACHE_BLOCK = 64;

  /** Nanoseconds of a tick of the time CSR: 10 MHz, as QEMU's virt board. */
  static final long TICK_NANOS = 100;

  static final String[] ABI = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2",
    "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"
  };
  private static final int FETCH_ENTRIES = 256;

  final RiscvConfig config;
  final AddressSpace memory;
  final VirtualClock clock;
  final Log log;
  private final RiscvLog hartLog;
  final Csrs csrs;
  final Pmp pmp;
  private final Decoder decoder;
  private final PageWalker walker;
  private final AddressContexts contexts;
  private final RiscvInterpreter interpreter;
  final RiscvRare rare;
  private final long resetVector;

  /** Executions after which a block asks for translation. */
  final int threshold;

  /** Privilege: 0 U, 1 S, 3 M. */
  int mode = Status.M;

  private int trapCause;
  private long trapValue;
  long trapsTaken;

  final Atomics atomics;

  /** Levels of the interrupt inputs, as mip bits. */
  final AtomicLong lines = new AtomicLong();

  private AddressContexts.Space space;
  private AddressContexts.Space bareSpace;
  private final long[] fetchPage = new long[FETCH_ENTRIES];
  private final long[] fetchPhysical = new long[FETCH_ENTRIES];
  private final long[] fetchContexts = new long[FETCH_ENTRIES];

  private final LargePages largePages = new LargePages();

  RiscvHart(
      int index, RiscvConfig config, Machine machine, CodeSpace codeSpace, Decoder decoder, Translator translator,
      int threshold, boolean sleeps, long resetVector) {
    super(index, codeSpace, translator, sleeps);
    this.config = config;
    this.memory = machine.memory();
    this.clock = machine.clock();
    this.log = machine.log();
    this.hartLog = new RiscvLog(this, log);
    this.decoder = decoder;
    this.threshold = threshold;
    this.resetVector = resetVector;
    this.pmp = new Pmp(config.pmpRegions());
    this.walker = new PageWalker(memory, pmp, config.has("svnapot"));
    this.contexts = new AddressContexts(this::clearTlbs);
    this.csrs = new Csrs(this);
    this.atomics = new Atomics(this);
    this.rare = new RiscvRare(this);
    this.interpreter = new RiscvInterpreter(this, rare);
    memory.addLayoutListener(() -> {
      layoutChanged = true;
      wakeUp();
    });
    reset();
  }

  /** The memory map is another one, or the time CSR was moved. */
  private volatile boolean layoutChanged;

  /** Ticks that the time CSR is ahead of guest time. */
  volatile long timeOffset;

  @Override
  public void setTimeOffset(long ticks) {
    if (ticks != timeOffset) {
      timeOffset = ticks;
      layoutChanged = true;
      wakeUp();
    }
  }

  @Override
  public String isa() {
    return "riscv64";
  }

  @Override
  public void reset() {
    Arrays.fill(regs, 0, Slots.REGISTERS, 0);
    fp.flags = 0;
    mode = Status.M;
    pc = resetVector;
    event = NONE;
    atomics.forgetReservation();
    csrs.reset();
    pmp.reset();
    flushAllContexts();
    updateContext();
  }

  // ---- contexts and flushes ----

  private void clearTlbs() {
    SoftTlb.clear(tlb);
  }

  private void flushAllContexts() {
    wholePages = pmp.wholePages();
    contexts.forgetAll();
    space = contexts.space(csrs.satp);
    bareSpace = contexts.space(0);
    largePages.clear();
  }

  /** Recomputes what depends on mode, mstatus and satp. */
  @BetweenRegions
  void updateContext() {
    long status = csrs.mstatus();
    int dataMode = dataMode();
    boolean bare = dataMode == Status.M || csrs.satp >>> 60 == 0;
    int permissions = dataMode == Status.M ? 3 : dataMode;
    if (!bare) {
      permissions |= (status & Status.SUM) != 0 ? AddressContexts.SUM : 0;
      permissions |= (status & Status.MXR) != 0 ? 8 : 0;
    }
    context = contexts.data(bare ? bareSpace : space, permissions);
    boolean bareFetch = mode == Status.M || csrs.satp >>> 60 == 0;
    fetchContext = contexts.fetch(bareFetch ? bareSpace : space, mode);
  }

  void satpChanged() {
    space = contexts.space(csrs.satp);
    updateContext();
  }

  /** Drops every translation; also after PMP changed. */
  void flushAll() {
    flushAllContexts();
    updateContext();
  }

  /** SFENCE.VMA with the given operands; -1 stands for x0. */
  void flush(long va, boolean allAddresses, long asid, boolean allAsids) {
    if (allAddresses) {
      if (allAsids) {
        flushAll();
      } else {
        contexts.forgetAsid(asid & 0xffff);
        updateContext();
      }
      return;
    }
    if (largePages.contains(va)) {
      flushAll();
      return;
    }
    SoftTlb.flushPage(tlb, va);
    fetchPage[(int) (va >>> 12) & FETCH_ENTRIES - 1] = -1;
    flushJumpPage(va);
  }

  // ---- translation ----

  /** Translates for an access in the current data context; negative when it trapped (the event is set). */
  private long translateData(long va, int access, int length) {
    int dataMode = dataMode();
    long physical = translate(va, access, dataMode, true, true);
    hartLog.translated(va, access, dataMode, physical, walker);
    if (physical == PageWalker.PAGE_FAULT) {
      trap(access == PageWalker.STORE ? Cause.STORE_PAGE : Cause.LOAD_PAGE, va);
      return -1;
    }
    int need = access == PageWalker.STORE ? Pmp.WRITE : Pmp.READ;
    if (physical == PageWalker.ACCESS_FAULT || !pmp.allows(physical, length, need, dataMode)) {
      trap(access == PageWalker.STORE ? Cause.STORE_ACCESS : Cause.LOAD_ACCESS, va);
      return -1;
    }
    return physical;
  }

  /** As {@link PageWalker#walk}; what {@code marks} is not true for meets a page fault where hardware would mark. */
  private long translate(long va, int access, int accessMode, boolean update, boolean marks) {
    if (accessMode == Status.M || csrs.satp >>> 60 == 0) {
      walker.pageSize = 1L << 62;
      walker.readable = true;
      walker.writable = true;
      return va < 0 || va >= AddressSpace.SIZE ? PageWalker.ACCESS_FAULT : va;
    }
    long status = csrs.mstatus();
    long physical =
        walker.walk(
            csrs.satp, va, access, accessMode, (status & Status.SUM) != 0, (status & Status.MXR) != 0, update,
            marks && csrs.hardwareAd(), csrs.pbmt());
    if (physical >= 0 && walker.local && contexts.shares()) {
      contexts.stopSharing();
      flushAll();
    }
    return physical;
  }

  private void fillTlb(long va, long physical, RamRegion ram, FlatView.Range range, int dataMode) {
    long page = physical & SoftTlb.PAGE_MASK;
    if (!range.contains(page, 4096) || !pmp.uniform(page)) {
      return;
    }
    if (walker.pageSize > 4096 && walker.pageSize < 1L << 62) {
      largePages.add(va, walker.pageSize);
    }
    int i = SoftTlb.index(va);
    long tag = va & SoftTlb.PAGE_MASK | context;
    long offset = page - range.start() + range.offset();
    tlb[i + SoftTlb.READ_TAG] = walker.readable && pmp.allows(page, 4096, Pmp.READ, dataMode) ? tag : SoftTlb.INVALID;
    boolean write =
        walker.writable && ram.writable() && pmp.allows(page, 4096, Pmp.WRITE, dataMode)
            && !codeSpace.hasCode(page);
    tlb[i + SoftTlb.WRITE_TAG] = write ? tag : SoftTlb.INVALID;
    tlb[i + SoftTlb.ADDEND] = ram.ram().hostAddress() + offset - (va & SoftTlb.PAGE_MASK);
    tlb[i + SoftTlb.PHYSICAL] = page;
  }

  private int dataMode() {
    return mode == Status.M && (csrs.mstatus() & Status.MPRV) != 0
        ? (int) (csrs.mstatus() >>> Status.MPP_SHIFT & 3)
        : mode;
  }

  @Override
  public long loadSlow(long va, int widthLog2) {
    int width = 1 << widthLog2;
    if ((va & width - 1) != 0 && (va & 4095) + width > 4096) {
      return loadAcrossPages(va, width);
    }
    long physical = translateData(va, PageWalker.LOAD, width);
    if (physical < 0) {
      return 0;
    }
    try {
      FlatView.Range range = memory.view().find(physical, width);
      long offset = physical - range.start() + range.offset();
      if (range.region() instanceof RamRegion ram) {
        fillTlb(va, physical, ram, range, dataMode());
        return ram.ram().get(offset, width);
      }
      if ((va & width - 1) != 0) {
        trap(Cause.LOAD_MISALIGNED, va);
        return 0;
      }
      long value = ((MmioRegion) range.region()).read(offset, width);
      deviceTouched();
      return value;
    } catch (BusFault e) {
      hartLog.fault("load from", va, physical, width);
      trap(Cause.LOAD_ACCESS, va);
      return 0;
    }
  }

  private long loadAcrossPages(long va, int width) {
    long value = 0;
    for (int i = 0; i < width && event != TRAP; i++) {
      value |= (loadSlow(va + i, 0) & 0xff) << (8 * i);
    }
    return value;
  }

  @Override
  public void storeSlow(long va, int widthLog2, long value) {
    int width = 1 << widthLog2;
    if ((va & width - 1) != 0 && (va & 4095) + width > 4096) {
      storeAcrossPages(va, width, value);
      return;
    }
    long physical = translateData(va, PageWalker.STORE, width);
    if (physical < 0) {
      return;
    }
    try {
      FlatView.Range range = memory.view().find(physical, width);
      long offset = physical - range.start() + range.offset();
      if (range.region() instanceof RamRegion ram) {
        if (ram.writable()) {
          ram.ram().put(offset, width, value);
          fillTlb(va, physical, ram, range, dataMode());
        } else {
          memory.write(physical, width, value);
          deviceTouched();
        }
        return;
      }
      if ((va & width - 1) != 0) {
        trap(Cause.STORE_MISALIGNED, va);
        return;
      }
      ((MmioRegion) range.region()).write(offset, width, value);
      deviceTouched();
    } catch (BusFault e) {
      hartLog.fault("store to", va, physical, width);
      trap(Cause.STORE_ACCESS, va);
    }
  }

  private void storeAcrossPages(long va, int width, long value) {
    // Both pages are checked first, so that a store that traps has written nothing.
    long second = (va | 4095) + 1;
    int first = (int) (second - va);
    if (translateData(va, PageWalker.STORE, first) < 0
        || translateData(second, PageWalker.STORE, width - first) < 0) {
      return;
    }
    for (int i = 0; i < width && event != TRAP; i++) {
      storeSlow(va + i, 0, value >>> (8 * i));
    }
  }

  /** A device may have raised or lowered an interrupt: have it looked at right after this instruction. */
  private void deviceTouched() {
    if (event == NONE && (attention || csrs.interruptReady())) {
      event = LEAVE;
    }
  }

  /**
   * The host address of {@code width} bytes at {@code va}, for an access in one step; 0 after a trap. After a store
   * {@link #atomicWritten} must be called.
   */
  long atomicAddress(long va, int width, boolean store) {
    if ((va & width - 1) != 0) {
      trap(store ? Cause.STORE_MISALIGNED : Cause.LOAD_MISALIGNED, va);
      return 0;
    }
    int i = SoftTlb.index(va);
    if (tlb[i + (store ? SoftTlb.WRITE_TAG : SoftTlb.READ_TAG)] == (va & SoftTlb.PAGE_MASK | context)) {
      return va + tlb[i + SoftTlb.ADDEND];
    }
    long physical = translateData(va, store ? PageWalker.STORE : PageWalker.LOAD, width);
    if (physical < 0) {
      return 0;
    }
    try {
      FlatView.Range range = memory.view().find(physical, width);
      if (range.region() instanceof RamRegion ram && (ram.writable() || !store)) {
        fillTlb(va, physical, ram, range, dataMode());
        long offset = physical - range.start() + range.offset();
        if (store && codeSpace.hasCode(physical & -4096L)) {
          atomicRam = ram;
          atomicOffset = offset;
        }
        return ram.ram().hostAddress() + offset;
      }
    } catch (BusFault e) {
      hartLog.fault("atomic access to", va, physical, width);
    }
    trap(store ? Cause.STORE_ACCESS : Cause.LOAD_ACCESS, va);
    return 0;
  }

  private RamRegion atomicRam;
  private long atomicOffset;

  /** Tells code that was made of the bytes. */
  void atomicWritten(int width) {
    if (atomicRam != null) {
      RamRegion ram = atomicRam;
      atomicRam = null;
      ram.ram().written(atomicOffset, width);
    }
  }

  /** CBO.ZERO: zeroes the 64-byte block that holds {@code va}. */
  void zeroBlock(long va) {
    long start = va & -CACHE_BLOCK;
    for (int i = 0; i < CACHE_BLOCK && event != TRAP; i += 8) {
      store64(start + i, 0);
    }
  }

  /** CBO.INVAL, CLEAN and FLUSH: nothing but the permission check, since host caches are coherent. */
  void manageBlock(long va) {
    translateData(va, PageWalker.STORE, 1);
  }

  // ---- fetch and decode ----

  private long translateFetch(long va) {
    return translateFetch(va, true);
  }

  private long translateFetch(long va, boolean marks) {
    int slot = (int) (va >>> 12) & FETCH_ENTRIES - 1;
    long page = va & SoftTlb.PAGE_MASK;
    if (fetchPage[slot] == page && fetchContexts[slot] == fetchContext) {
      return fetchPhysical[slot] | va & 4095;
    }
    long physical = translate(va, PageWalker.FETCH, mode, true, marks);
    hartLog.translated(va, PageWalker.FETCH, mode, physical, walker);
    if (physical < 0) {
      trap(physical == PageWalker.PAGE_FAULT ? Cause.FETCH_PAGE : Cause.FETCH_ACCESS, va);
      return -1;
    }
    long physicalPage = physical & SoftTlb.PAGE_MASK;
    if (!pmp.allows(physical, 2, Pmp.EXECUTE, mode)) {
      trap(Cause.FETCH_ACCESS, va);
      return -1;
    }
    if (pmp.uniform(physicalPage)) {
      if (walker.pageSize > 4096 && walker.pageSize < 1L << 62) {
        largePages.add(va, walker.pageSize);
      }
      fetchPage[slot] = page;
      fetchPhysical[slot] = physicalPage;
      fetchContexts[slot] = fetchContext;
    }
    return physical;
  }

  @Override
  public long probeFetch(long va) {
    int savedEvent = event;
    int savedCause = trapCause;
    long savedValue = trapValue;
    // A page that nothing was fetched from is left as it is: whether there is compiled code must not show.
    long physical = translateFetch(va, false);
    if (physical < 0) {
      event = savedEvent;
      trapCause = savedCause;
      trapValue = savedValue;
      return -1;
    }
    return physical;
  }

  @Override
  protected Block fetchBlock() {
    long physical = translateFetch(pc);
    if (physical < 0) {
      return fetchTrapped();
    }
    Block block = codeSpace.find(physical);
    if (block != null && block.valid) {
      if (block.secondPage < 0) {
        return block;
      }
      long second = translateFetch((pc | 4095) + 1);
      if (second < 0) {
        return fetchTrapped();
      }
      if ((second & SoftTlb.PAGE_MASK) == block.secondPage) {
        return block;
      }
    }
    block = RiscvBlockDecoder.decode(this, decoder, pc, physical);
    if (block == null) {
      return fetchTrapped();
    }
    hartLog.decoded(block, pc);
    return block;
  }

  @Override
  protected boolean logsBlocks() {
    return hartLog.logsBlocks();
  }

  @Override
  protected void logBlock(Block block) {
    hartLog.executes(block);
  }

  private Block fetchTrapped() {
    event = NONE;
    budget--;
    enterTrap();
    return null;
  }

  /** For the block decoder: translates the second page of a straddling instruction; -1 after a trap. */
  long fetchSecondPage(long va) {
    return translateFetch(va);
  }

  void fetchAccessFault(long va) {
    trap(Cause.FETCH_ACCESS, va);
  }

  @Override
  protected void interpret(Block block, int count) {
    interpreter.run(block, count);
  }

  @Override
  public boolean step(Block block, int from, int until) {
    return interpreter.step(block, from, until);
  }

  @Override
  public int ready() {
    int rounding = csrs.frm == 0 ? ROUNDING_READY | NEAREST_READY : csrs.frm <= 4 ? ROUNDING_READY : 0;
    int fpu = fpReady() ? FP_READY | rounding : 0;
    int zero = csrs.cacheBlockAllowed(true) ? ZERO_READY : 0;
    int status = mode != Status.U && pending() == 0 ? STATUS_READY : 0;
    return fpu | zero | status;
  }

  /** True if the floating-point unit is on and marked dirty, so that using it needs no bookkeeping. */
  boolean fpReady() {
    return (csrs.mstatus() & Status.FS) == Status.FS;
  }

  // ---- traps ----

  /** Announces a trap of the current instruction. */
  void trap(int cause, long value) {
    event = TRAP;
    trapCause = cause;
    trapValue = value;
  }

  void illegal(long bits) {
    trap(Cause.ILLEGAL, bits);
  }

  @Override
  @BetweenRegions
  protected void enterTrap() {
    if (trapCause == Cause.ILLEGAL && trapValue == RiscvInterpreter.UNKNOWN_BITS) {
      trapValue = readInstruction(pc);
    }
    trapsTaken++;
    hartLog.interrupt(false, trapCause, trapValue);
    enter(trapCause, false, trapValue);
  }

  private long readInstruction(long va) {
    long bits = 0;
    for (int i = 0; i < 2; i++) {
      long physical = probeFetch(va + 2 * i);
      try {
        bits |= physical < 0 ? 0 : memory.read(physical, 2) << (16 * i);
      } catch (BusFault e) {
        return bits;
      }
      if ((bits & 3) != 3) {
        return bits;
      }
    }
    return bits;
  }

  @BetweenRegions
  private void enter(int cause, boolean interrupt, long value) {
    long delegated = interrupt ? csrs.mideleg : csrs.medeleg;
    boolean toS = mode != Status.M && (delegated >>> cause & 1) != 0;
    long code = interrupt ? 1L << 63 | cause : cause;
    long status = csrs.mstatus();
    atomics.forgetReservation();
    long vector;
    if (toS) {
      csrs.scause = code;
      csrs.sepc = pc;
      csrs.stval = value;
      status = status & ~(Status.SPIE | Status.SPP | Status.SIE)
          | ((status & Status.SIE) != 0 ? Status.SPIE : 0)
          | (mode == Status.S ? Status.SPP : 0);
      vector = csrs.stvec;
      mode = Status.S;
    } else {
      csrs.mcause = code;
      csrs.mepc = pc;
      csrs.mtval = value;
      status = status & ~(Status.MPIE | Status.MPP | Status.MIE)
          | ((status & Status.MIE) != 0 ? Status.MPIE : 0)
          | (long) mode << Status.MPP_SHIFT;
      vector = csrs.mtvec;
      mode = Status.M;
    }
    csrs.setMstatus(status);
    pc = (vector & ~3L) + (interrupt && (vector & 3) == 1 ? 4L * cause : 0);
    updateContext();
  }

  @Override
  protected boolean pollInterrupts() {
    if (layoutChanged) {
      layoutChanged = false;
      flushAll();
      csrs.timeMoved();
    }
    if (!csrs.interruptReady()) {
      return false;
    }
    int cause = csrs.nextInterrupt();
    if (event == HALT) {
      event = NONE;
    }
    hartLog.interrupt(true, cause, 0);
    enter(cause, true, 0);
    return true;
  }

  @Override
  protected long pending() {
    return csrs.mip() & csrs.mie;
  }

  @Override
  public IrqLine interrupt(int number) {
    long bit = 1L << number;
    if (number == Cause.SSI) {
      // An edge: it stays pending until software clears it.
      return level -> {
        if (level && (lines.getAndUpdate(v -> v | bit) & bit) == 0) {
          wakeUp();
        }
      };
    }
    return level -> {
      long before = lines.getAndUpdate(v -> level ? v | bit : v & ~bit);
      if (level && (before & bit) == 0) {
        wakeUp();
      } else if (level) {
        remind();
      }
    };
  }

  void wake() {
    wakeUp();
  }

  // ---- debugger's view ----

  @Override
  public List<String> registerNames() {
    return RiscvRegisters.names();
  }

  @Override
  public long register(String name) {
    return RiscvRegisters.get(this, name);
  }

  @Override
  public void setRegister(String name, long value) {
    RiscvRegisters.set(this, name, value);
  }

  @Override
  public OptionalLong translate(long virtualAddress) {
    long physical = translate(virtualAddress, PageWalker.LOAD, dataMode(), false, false);
    if (physical < 0) {
      physical = translate(virtualAddress, PageWalker.FETCH, mode, false, false);
    }
    return physical < 0 ? OptionalLong.empty() : OptionalLong.of(physical);
  }

  @Override
  public String describe() {
    return RiscvRegisters.describe(this, true);
  }

  // ---- state ----

  @Override
  public String stateId() {
    return "cpu" + index();
  }

  @Override
  public void save(StateWriter out) {
    out.putLong("pc", pc);
    out.putLongs("regs", Arrays.copyOf(regs, Slots.REGISTERS));
    out.putLong("fflags", fp.flags);
    out.putLong("mode", mode);
    out.putBoolean("waiting", event == HALT);
    out.putLong("instructions", instructionCount());
    out.putLong("traps", trapsTaken);
    csrs.save(out);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    pc = in.getLong("pc");
    System.arraycopy(in.getLongs("regs", Slots.REGISTERS), 0, regs, 0, Slots.REGISTERS);
    regs[0] = 0;
    fp.flags = (int) in.getLong("fflags", 0, 31);
    mode = (int) in.getLong("mode", 0, 3);
    if (mode == 2) {
      throw new StateException("section " + stateId() + ", field mode: 2 is out of range");
    }
    event = in.getBoolean("waiting") ? HALT : NONE;
    sliceEnd = in.getLong("instructions");
    budget = 0;
    executed = 0;
    trapsTaken = in.getLong("traps");
    csrs.load(in);
    atomics.forgetReservation();
    clearTlbs();
    clearJumpCache();
    flushAllContexts();
    updateContext();
  }

  static Map<String, Integer> abiNumbers() {
    Map<String, Integer> numbers = new HashMap<>();
    for (int i = 0; i < 32; i++) {
      numbers.put(ABI[i], i);
      numbers.put("x" + i, i);
      numbers.put("f" + i, F0 + i);
    }
    numbers.put("fp", 8);
    return Map.copyOf(numbers);
  }
}
