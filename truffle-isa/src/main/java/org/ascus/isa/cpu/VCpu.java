package org.ascus.isa.cpu;

import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.ascus.isa.fp.FpStatus;
import org.ascus.isa.mmu.SoftTlb;
import org.ascus.machine.bus.host.HostMemory;
import org.ascus.machine.cpu.Cpu;

/**
 * A guest CPU: the hot state that every tier works on, and the loop that runs it. Fields are plain and public because
 * interpreters and compiled code use them directly; only the thread inside {@link #run} touches them, but for those
 * marked volatile.
 */
public abstract class VCpu implements Cpu {
  /** No event: go on. */
  public static final int NONE = 0;

  /** The current instruction trapped; the ISA holds cause and value. It counts as executed; pc is its address. */
  public static final int TRAP = 1;

  /** Leave translated code after the current instruction: something that the dispatcher must look at has changed. */
  public static final int LEAVE = 2;

  /** Like LEAVE, and the CPU waits for an interrupt. */
  public static final int HALT = 3;

  /** Most instructions that compiled code executes between two looks at the budget. */
  public static final int MAX_PATH = 4096;

  /** How deep compiled regions may call each other on the host stack. */
  public static final int MAX_CALL_DEPTH = 100;

  /** Have methods that control passes through between regions. */
  public static final List<Class<?>> BETWEEN_REGIONS = List.of(VCpu.class, JumpCache.class);

  private static final long POLL_INTERVAL = 50_000;

  /** Slices of the budget between two looks after what was compiled. */
  private static final int LOOK_INTERVAL = 16;

  /** Slices of the budget between two looks for dead entries of the jump cache. */
  private static final int FORGET_INTERVAL = 1 << 14;

  /** Register file, the ISA says which slots are what; see {@link Slots}. */
  public final long[] regs = new long[Slots.COUNT];

  /** See {@link SoftTlb}. */
  public final long[] tlb = SoftTlb.create();

  /** {@link #regs}, for calls of host code. */
  public final MemorySegment regsSegment = MemorySegment.ofArray(regs);

  /** {@link #tlb}, for calls of host code. */
  public final MemorySegment tlbSegment = MemorySegment.ofArray(tlb);

  /** Floating-point exceptions that were raised. */
  public final FpStatus fp = new FpStatus();

  /** Context number of data accesses, shifted to its place in a tag. */
  public long context;

  public long pc;

  /** Instructions left until the dispatcher looks up; may go below zero inside translated code. */
  public long budget;

  /** Instruction count at which {@link #budget} is zero. */
  public long sliceEnd;

  /** Instructions of the current block completed before the current one, while a slow path runs; else 0. */
  public int executed;

  /** NONE, TRAP, LEAVE or HALT. */
  public int event;

  /** The last block ended in a back edge, a call or a computed jump: its target counts as a head. */
  public boolean hotEdge;

  /** Region in whose loop the budget has run out, for samples of where the time goes. */
  public CodeSpace.RegionHandle spentIn;

  /** This CPU as the arguments of a call, so that calls between regions allocate nothing. */
  public final Object[] arguments = {this};

  /** How deep compiled regions call each other on the host stack. */
  public int callDepth;

  /** Set by any thread: something in the volatile fields wants a look. */
  public volatile boolean attention;

  private volatile boolean exitRequested;
  private volatile boolean idle = true;
  private volatile Thread thread;

  /** Changes with each {@link #wakeUp}; races lose some. */
  private volatile int wakeUps;

  private final IdlePoll idlePoll = new IdlePoll();
  private final ConcurrentLinkedQueue<Long> protectRequests = new ConcurrentLinkedQueue<>();

  protected final CodeSpace codeSpace;
  private final Translator translator;
  private final boolean profilesAll;
  private final boolean sleeps;
  private final int index;
  private final Set<Long> breakpoints = new HashSet<>();
  private boolean atBreakpoint;

  /** That of the code space when this CPU looked last. */
  private volatile int epoch;

  private int samples;
  private long interpretedSamples;

  private final JumpCache jumps = new JumpCache(this);

  /** Identifies how instruction addresses map to memory now; equal values mean the same mapping. Never 0. */
  public long fetchContext = 1;

  /** Whether all bytes of a page can be fetched or none. */
  public boolean wholePages = true;

  /**
   * @param sleeps whether a CPU that waits for an interrupt sleeps on its thread; if not {@link #run} returns, and what
   *     the CPU waited for wakes the thread that it ran on last
   */
  protected VCpu(int index, CodeSpace codeSpace, Translator translator, boolean sleeps) {
    this.index = index;
    this.codeSpace = codeSpace;
    this.translator = translator;
    this.profilesAll = translator.takesAll();
    this.sleeps = sleeps;
    regs[Slots.STOP] = -1;
    codeSpace.addCpu(this);
  }

  // ---- what an ISA provides ----

  /** Handles a load that missed the TLB; may set {@link #event}. The result is zero-extended. */
  public abstract long loadSlow(long va, int widthLog2);

  /** Handles a store that missed the TLB; may set {@link #event}. */
  public abstract void storeSlow(long va, int widthLog2, long value);

  /** Guest-physical address of the code at {@code va} in the current fetch context, or -1; never traps. */
  public abstract long probeFetch(long va);

  /** Decodes the block at {@link #pc}, or returns null after entering the trap that the fetch caused. */
  protected abstract Block fetchBlock();

  /** Interprets the first {@code count} instructions of {@code block}; pc, budget and event are exact on return. */
  protected abstract void interpret(Block block, int count);

  /**
   * Interprets instructions {@code from} to {@code until - 1} of {@code block}, the first of which is at {@link #pc};
   * pc, budget and event are exact before and after it.
   *
   * @return whether the next instruction of the block follows
   */
  public abstract boolean step(Block block, int from, int until);

  /** What translated code need not look after, as bits that the ISA defines; only tier 0 changes that. */
  public abstract int ready();

  /** Enters the handler of the trap that {@link #event} announced. */
  protected abstract void enterTrap();

  /** Enters an interrupt handler if an interrupt can be taken now, and tells whether it did. */
  protected abstract boolean pollInterrupts();

  /** True if the {@code -d} log wants each block before it runs; asked once a slice. */
  protected abstract boolean logsBlocks();

  /** Logs {@code block}, which runs next. */
  protected abstract void logBlock(Block block);

  /** What has a waiting CPU go on, as bits that the ISA defines; 0 if it must wait. */
  protected abstract long pending();

  // ---- memory, as every tier sees it ----

  public final long load8(long va) {
    int i = SoftTlb.index(va);
    if (tlb[i] == ((va & SoftTlb.PAGE_MASK) | context)) {
      return HostMemory.getByte(va + tlb[i + SoftTlb.ADDEND]);
    }
    return (byte) loadSlow(va, 0);
  }

  public final long load16(long va) {
    int i = SoftTlb.index(va);
    if (tlb[i] == ((va & (SoftTlb.PAGE_MASK | 1)) | context)) {
      return HostMemory.getShort(va + tlb[i + SoftTlb.ADDEND]);
    }
    return (short) loadSlow(va, 1);
  }

  public final long load32(long va) {
    int i = SoftTlb.index(va);
    if (tlb[i] == ((va & (SoftTlb.PAGE_MASK | 3)) | context)) {
      return HostMemory.getInt(va + tlb[i + SoftTlb.ADDEND]);
    }
    return (int) loadSlow(va, 2);
  }

  public final long load64(long va) {
    int i = SoftTlb.index(va);
    if (tlb[i] == ((va & (SoftTlb.PAGE_MASK | 7)) | context)) {
      return HostMemory.getLong(va + tlb[i + SoftTlb.ADDEND]);
    }
    return loadSlow(va, 3);
  }

  public final void store8(long va, long value) {
    int i = SoftTlb.index(va);
    if (tlb[i + SoftTlb.WRITE_TAG] == ((va & SoftTlb.PAGE_MASK) | context)) {
      HostMemory.putByte(va + tlb[i + SoftTlb.ADDEND], (byte) value);
    } else {
      storeSlow(va, 0, value);
    }
  }

  public final void store16(long va, long value) {
    int i = SoftTlb.index(va);
    if (tlb[i + SoftTlb.WRITE_TAG] == ((va & (SoftTlb.PAGE_MASK | 1)) | context)) {
      HostMemory.putShort(va + tlb[i + SoftTlb.ADDEND], (short) value);
    } else {
      storeSlow(va, 1, value);
    }
  }

  public final void store32(long va, long value) {
    int i = SoftTlb.index(va);
    if (tlb[i + SoftTlb.WRITE_TAG] == ((va & (SoftTlb.PAGE_MASK | 3)) | context)) {
      HostMemory.putInt(va + tlb[i + SoftTlb.ADDEND], (int) value);
    } else {
      storeSlow(va, 2, value);
    }
  }

  public final void store64(long va, long value) {
    int i = SoftTlb.index(va);
    if (tlb[i + SoftTlb.WRITE_TAG] == ((va & (SoftTlb.PAGE_MASK | 7)) | context)) {
      HostMemory.putLong(va + tlb[i + SoftTlb.ADDEND], value);
    } else {
      storeSlow(va, 3, value);
    }
  }

  // ---- running ----

  @Override
  public final int index() {
    return index;
  }

  @Override
  public final long pc() {
    return pc;
  }

  @Override
  public final long instructionCount() {
    return sliceEnd - budget + executed;
  }

  @Override
  public final Stop run(long instructions) {
    thread = Thread.currentThread();
    idle = false;
    translator.enter();
    try {
      return loop(instructions);
    } finally {
      translator.leave();
      idle = true;
      if (sleeps) {
        thread = null;
      }
    }
  }

  private Stop loop(long instructions) {
    boolean exact = instructions != Long.MAX_VALUE;
    long end = exact ? instructionCount() + instructions : Long.MAX_VALUE;
    while (true) {
      if (attention) {
        attention = false;
        serveProtectRequests();
        if (exitRequested) {
          attention = true;
          return Stop.REQUESTED;
        }
      }
      noticeEpoch();
      if (pollInterrupts()) {
        idlePoll.end();
      }
      long now = instructionCount();
      if (now >= end) {
        return Stop.BUDGET;
      }
      if (event == HALT) {
        long pending = pending();
        if (pending == 0) {
          if (!sleeps) {
            return Stop.HALTED;
          }
          idlePoll.end();
          sleep(0);
          continue;
        }
        event = NONE;
        long pause = idlePoll.pause(pending, wakeUps);
        if (sleeps && pause > 0) {
          sleep(pause);
        }
      }
      budget = Math.min(POLL_INTERVAL, end - now);
      sliceEnd = now + budget;
      if (!breakpoints.isEmpty()) {
        if (!atBreakpoint && breakpoints.contains(pc)) {
          atBreakpoint = true;
          return Stop.BREAKPOINT;
        }
        atBreakpoint = false;
        budget = 1;
        sliceEnd = now + 1;
      }
      if (logsBlocks()) {
        runLogged();
      } else {
        runSlice(exact || !breakpoints.isEmpty());
        if (budget <= 0 && event == NONE) {
          sample();
        }
      }
    }
  }

  /** Forgets where host code was that may be overwritten from now on. */
  private void noticeEpoch() {
    int now = codeSpace.epoch();
    if (now != epoch) {
      HostTargets.clear(regs[Slots.TARGETS]);
      epoch = now;
    }
  }

  /** Whether this CPU does not run what had been thrown away when the code space's epoch was {@code number}. */
  public final boolean hasNoticed(int number) {
    return idle || epoch - number >= 0;
  }

  /** As {@link #runSlice}, but each block is interpreted by itself, after it was logged. */
  private void runLogged() {
    while (budget > 0 && event == NONE && !attention) {
      Block block = findBlock(pc);
      if (block == null) {
        continue;
      }
      logBlock(block);
      // With no more budget than the block takes, the interpreter comes back at its end.
      int count = (int) Math.min(block.code.length, budget);
      long rest = budget - count;
      budget -= rest;
      sliceEnd -= rest;
      interpret(block, count);
      budget += rest;
      sliceEnd += rest;
      if (event == TRAP) {
        event = NONE;
        enterTrap();
      }
    }
    if (event == LEAVE) {
      event = NONE;
    }
  }

  /** Runs until the budget is used up or something needs the outer loop. */
  @BetweenRegions
  private void runSlice(boolean exact) {
    while (budget > 0) {
      EntryPoint entry = findEntry(pc);
      if (entry == null || exact) {
        if (!runSlowly(exact)) {
          return;
        }
      } else {
        entry.code.arrivals++;
        run(entry);
      }
      if (event != NONE && !handleEvent() || attention) {
        return;
      }
    }
  }

  /** Runs one block, or more; false if something needs the outer loop. */
  private boolean runSlowly(boolean exact) {
    Block block = findBlock(pc);
    if (block == null) {
      return !attention;
    }
    EntryPoint entry = block.entry() == null ? null : findEntry(pc);
    if (entry != null && !exact) {
      run(entry);
    } else if (entry != null && budget > MAX_PATH) {
      budget -= MAX_PATH;
      sliceEnd -= MAX_PATH;
      run(entry);
      budget += MAX_PATH;
      sliceEnd += MAX_PATH;
    } else {
      if (hotEdge || profilesAll) {
        hotEdge = false;
        profile(block, pc);
      }
      int count = block.code.length;
      interpret(block, exact && count > budget ? (int) budget : count);
    }
    return true;
  }

  /** False if the event is one for the outer loop. */
  private boolean handleEvent() {
    if (event == TRAP) {
      event = NONE;
      enterTrap();
      return true;
    }
    if (event == LEAVE) {
      event = NONE;
    }
    return false;
  }

  /** Runs compiled code from {@code entry}, where the CPU is, until control leaves it. */
  @BetweenRegions(inlined = true)
  public final void run(EntryPoint entry) {
    CompiledCode code = entry.code;
    long head = pc - entry.offset;
    int number = code.run(this, head, entry.place);
    if (number >= 0) {
      code.finish(this, head, number);
    }
  }

  private void sample() {
    if (++samples % FORGET_INTERVAL == 0) {
      jumps.forgetDead();
    }
    if (samples % LOOK_INTERVAL == 0) {
      translator.look(this);
    }
    CodeSpace.RegionHandle region = spentIn;
    spentIn = null;
    Block block = jumps.block(pc);
    if (block == null) {
      return;
    }
    if (region == null) {
      interpretedSamples++;
      region = block.compiled();
      if (region == null) {
        return;
      }
    }
    translator.sampled(this, block, region);
  }

  /** Slices of the budget that have ended in tier 0, perhaps in an instruction that compiled code leaves to it. */
  public final long interpretedSamples() {
    return interpretedSamples;
  }

  /** Waits for an interrupt, or that long at most if {@code nanos} is not 0. */
  private void sleep(long nanos) {
    idle = true;
    if (nanos > 0) {
      LockSupport.parkNanos(this, nanos);
    } else if (!attention && pending() == 0) {
      LockSupport.park(this);
    }
    idle = false;
    serveProtectRequests();
  }

  /** The block at virtual address {@code va}, or null after the fetch trapped. {@code va} must be {@link #pc}. */
  @BetweenRegions
  public final Block findBlock(long va) {
    Block known = jumps.block(va);
    if (known != null) {
      return known;
    }
    Block block = fetchBlock();
    if (block != null) {
      jumps.put(va, block);
    }
    return block;
  }

  /** Changes when code may be mapped differently from now on. */
  public final long mapping() {
    return fetchContext ^ jumps.pageFlushes() << 32;
  }

  /**
   * For an interpreter at the end of {@code last}: the block at pc, if it can simply go on there; else null.
   *
   * @param start where {@code last} began
   * @param mapping {@link #mapping} then
   */
  @BetweenRegions
  public final Block nextToInterpret(Block last, long start, long mapping) {
    long va = pc;
    Block block = null;
    boolean samePage = (va ^ start) >>> 12 == 0 && mapping == mapping() && wholePages;
    if (samePage) {
      block = last.successor(last.physical & -4096L | va & 4095);
    }
    if (block == null) {
      block = jumps.block(va);
      if (samePage && block != null) {
        last.noteSuccessor(block);
      }
    }
    if (block == null || attention) {
      return null;
    }
    if (hotEdge || profilesAll) {
      hotEdge = false;
      profile(block, va);
    }
    return block.entry() == null && block.code.length <= budget && breakpoints.isEmpty() ? block : null;
  }

  /** Where compiled code can be entered at {@code va}, as far as is known; null sends the caller to the dispatcher. */
  @BetweenRegions(inlined = true)
  public final EntryPoint findEntry(long va) {
    return jumps.entry(va);
  }

  /**
   * As {@link #findEntry}, for code at {@link #pc} that has not been looked for lately, too. After null the fetch may
   * have trapped, and the CPU be at the trap's handler.
   */
  @BetweenRegions(inlined = true)
  public final EntryPoint fetchEntry() {
    EntryPoint entry = findEntry(pc);
    return entry != null ? entry : fetchNewEntry();
  }

  private EntryPoint fetchNewEntry() {
    Block block = findBlock(pc);
    return block == null || block.entry() == null ? null : findEntry(pc);
  }

  /** Forgets where instruction addresses on the page of {@code va} lead. */
  protected final void flushJumpPage(long va) {
    jumps.flushPage(va);
  }

  /** A match of compiled code relies on how the page of {@code va} is mapped, until {@link #codeFlushes} changes. */
  public final void relyOn(long va) {
    jumps.relyOn(va);
  }

  /** Changes when a page is flushed that a match of compiled code may have relied on. */
  public final long codeFlushes() {
    return jumps.codeFlushes();
  }

  /** As {@link #mapping}, for compiled code that has been matched. */
  public final long matchedMapping() {
    return fetchContext ^ codeFlushes() << 32;
  }

  /** Forgets where instruction addresses lead. */
  protected final void clearJumpCache() {
    jumps.clear();
  }

  /** Counts an execution of {@code block} at {@link #pc} and asks for translation when it has become hot. */
  protected final void profile(Block block, long va) {
    int heat = ++block.heat;
    if (heat >= block.threshold && !block.requested) {
      block.requested = true;
      codeSpace.profile().hot(block.physical, block.code);
      translator.hot(this, block, va);
    }
  }

  public final Translator translator() {
    return translator;
  }

  public final CodeSpace codeSpace() {
    return codeSpace;
  }

  // ---- requests from other threads ----

  @Override
  public final void requestExit() {
    exitRequested = true;
    wakeUp();
  }

  @Override
  public final void clearExitRequest() {
    exitRequested = false;
  }

  /** Makes the loop look at interrupts and requests, and wakes a sleeping CPU. */
  protected final void wakeUp() {
    attention = true;
    wakeUps++;
    remind();
  }

  /** Wakes a sleeping CPU for what it may have been told before. */
  protected final void remind() {
    Thread t = thread;
    if (t != null) {
      LockSupport.unpark(t);
    }
  }

  final void requestProtect(long physicalPage) {
    protectRequests.add(physicalPage);
    attention = true;
  }

  final void protectNow(long physicalPage) {
    SoftTlb.protect(tlb, physicalPage);
  }

  final boolean hasProtectRequests() {
    return !protectRequests.isEmpty();
  }

  final boolean isIdle() {
    return idle;
  }

  final void serveProtectRequests() {
    for (Long page = protectRequests.peek(); page != null; page = protectRequests.peek()) {
      if (SoftTlb.protect(tlb, page)) {
        codeSpace.invalidatePage(page);
      }
      protectRequests.poll();
    }
  }

  @Override
  public final void addBreakpoint(long virtualAddress) {
    breakpoints.add(virtualAddress);
  }

  @Override
  public final void removeBreakpoint(long virtualAddress) {
    breakpoints.remove(virtualAddress);
  }

  @Override
  public final String describeTranslation() {
    return translator.describe()
        + "blocks decoded       " + codeSpace.blocks() + "\n"
        + "code invalidations   " + codeSpace.invalidations() + "\n";
  }
}
