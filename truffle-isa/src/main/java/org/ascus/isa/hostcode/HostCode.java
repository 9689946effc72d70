package org.ascus.isa.hostcode;

import static org.ascus.isa.hostcode.X64Assembler.R12;
import static org.ascus.isa.hostcode.X64Assembler.R13;
import static org.ascus.isa.hostcode.X64Assembler.R14;
import static org.ascus.isa.hostcode.X64Assembler.R15;
import static org.ascus.isa.hostcode.X64Assembler.R8;
import static org.ascus.isa.hostcode.X64Assembler.R9;
import static org.ascus.isa.hostcode.X64Assembler.RAX;
import static org.ascus.isa.hostcode.X64Assembler.RBP;
import static org.ascus.isa.hostcode.X64Assembler.RBX;
import static org.ascus.isa.hostcode.X64Assembler.RCX;
import static org.ascus.isa.hostcode.X64Assembler.RDI;
import static org.ascus.isa.hostcode.X64Assembler.RDX;
import static org.ascus.isa.hostcode.X64Assembler.RSI;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.HostTargets;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.cpu.VCpu;
import org.ascus.machine.bus.host.ExecutableMemory;
import org.ascus.machine.bus.host.HostMemory;

/**
 * The machine code of one machine's regions, and how control gets into it and out again. It is for hosts with x86-64
 * processors, whose memory order is stronger than what guests ask for, and the System V calling convention.
 *
 * <p>In it rbx is the register file, r12 the TLB, r13 the data context, r14 the virtual address of the region's head,
 * and r15 the budget, but for regions with {@link ResidentRegisters}, which have r13 and r14 so outside only. Where a
 * region is entered rax is the virtual address of the block there.
 *
 * <p>Memory of a region that was thrown away is used again when every CPU has come out of it.
 */
final class HostCode {
  /** What {@link #run} of the code returns instead of a step: pc is exact. */
  private static final long LEFT = -1;

  /** As {@link #LEFT}, by an edge whose target counts as a head. */
  private static final long LEFT_HOT = -2;

  /** Less the number of the region: as {@link #LEFT}, since the budget has run out in it. */
  private static final long SPENT = -3;

  /** Where the number of the region is in what returns a step. */
  static final int REGION_SHIFT = 16;

  /** Most steps of a region. */
  static final int MAX_STEPS = 1 << REGION_SHIFT;

  /** Bytes of thrown away code that CPUs are asked to leave. */
  private static final long BATCH = 1 << 20;

  private static final int UNIT = 512;

  /** What was thrown away at once, to be used again when {@code epoch} has been noticed. */
  private record Discarded(int epoch, List<HostRegion> regions) {}

  private final CodeSpace codeSpace;
  private final ExecutableMemory memory;
  private final Map<Integer, Deque<Long>> free = new HashMap<>();
  private final Deque<Discarded> waiting = new ArrayDeque<>();
  private final Deque<Integer> freeNumbers = new ArrayDeque<>();
  private List<HostRegion> discarded = new ArrayList<>();
  private long discardedBytes;
  private long next;
  private volatile HostRegion[] regions = new HostRegion[1024];
  private int numbers;

  /** Leaves with pc in rax. */
  final long leave;

  /** As {@link #leave}, by an edge whose target counts as a head. */
  final long leaveHot;

  /** Leaves with pc in rax and the number of the region in rcx: the budget has run out. */
  final long spent;

  /** Goes on at the virtual address in rax, in host code if there is some. */
  final long goOn;

  /** Has tier 0 do the step in rax. */
  final long step;

  /** {@link HostFloating#flags} of 64 values, a byte each. */
  final long flags;

  HostCode(CodeSpace codeSpace, ExecutableMemory memory) {
    this.codeSpace = codeSpace;
    this.memory = memory;
    long base = memory.address();
    X64Assembler to = new X64Assembler();
    enter(to);
    leave = base + to.position();
    to.store(RAX, RBX, 8 * Slots.PC, 3);
    to.move(RAX, LEFT);
    X64Assembler.Label out = new X64Assembler.Label();
    to.jump(out);
    leaveHot = base + to.position();
    to.store(RAX, RBX, 8 * Slots.PC, 3);
    to.move(RAX, LEFT_HOT);
    to.jump(out);
    spent = base + to.position();
    to.store(RAX, RBX, 8 * Slots.PC, 3);
    to.move(RAX, SPENT);
    to.alu(X64Assembler.SUB, true, RAX, RCX);
    to.jump(out);
    step = base + to.position();
    to.store(R14, RBX, 8 * Slots.HEAD, 3);
    to.bind(out);
    exit(to);
    goOn = base + to.position();
    goOn(to, leaveHot);
    flags = base + to.position();
    for (int i = 0; i < 1 << HostFloating.EXCEPTION_BITS; i++) {
      to.constant(HostFloating.flags(i));
    }
    next = write(to, base);
    // The first call takes a long time, which no guest waits for here.
    MemorySegment nothing = MemorySegment.ofArray(new long[Slots.COUNT]);
    memory.call(leave, nothing, nothing, 0, 0, 0);
  }

  private static void enter(X64Assembler to) {
    for (int register : new int[] {RBX, RBP, R12, R13, R14, R15}) {
      to.push(register);
    }
    to.move(true, RBX, RSI);
    to.move(true, R12, RDX);
    to.move(true, R13, RCX);
    to.store(RCX, RBX, 8 * Slots.CONTEXT, 3);
    to.storeConstant(HostFloating.NO_EXCEPTIONS, RBX, 8 * Slots.EXCEPTIONS);
    to.loadExceptions(RBX, 8 * Slots.EXCEPTIONS);
    to.move(true, R14, R8);
    to.move(true, R15, R9);
    to.load(RAX, RBX, 8 * Slots.PC, 3, false);
    to.jumpTo(RDI);
  }

  private static void exit(X64Assembler to) {
    to.store(R15, RBX, 8 * Slots.BUDGET, 3);
    to.storeExceptions(RBX, 8 * Slots.EXCEPTIONS);
    for (int register : new int[] {R15, R14, R13, R12, RBP, RBX}) {
      to.pop(register);
    }
    to.ret();
  }

  /** Emits a jump to the virtual address in rax; to {@code miss} if there is no host code for it, or no budget. */
  static void goOn(X64Assembler to, long miss) {
    to.test(true, R15, R15);
    to.jumpFarIf(X64Assembler.LESS_EQUAL, miss);
    to.move(true, RCX, RAX);
    to.move(true, RDX, RAX);
    to.shift(X64Assembler.SHR, true, RCX, 1);
    to.shift(X64Assembler.SHR, true, RDX, HostTargets.SECOND_SHIFT);
    to.alu(X64Assembler.XOR, false, RCX, RDX);
    to.aluConstant(X64Assembler.AND, false, RCX, HostTargets.ENTRIES - 1);
    to.shift(X64Assembler.SHL, false, RCX, HostTargets.ENTRY_SHIFT);
    to.alu(X64Assembler.ADD, true, RCX, RBX, 8 * Slots.TARGETS);
    to.alu(X64Assembler.CMP, true, RAX, RCX, 0);
    to.jumpFarIf(X64Assembler.NOT_EQUAL, miss);
    to.load(RDX, RBX, 8 * Slots.MAPPING, 3, false);
    to.alu(X64Assembler.CMP, true, RDX, RCX, HostTargets.MAPPING);
    to.jumpFarIf(X64Assembler.NOT_EQUAL, miss);
    to.jumpToMemory(RCX, HostTargets.CODE);
  }

  private static long write(X64Assembler from, long address) {
    byte[] bytes = from.bytes(address);
    HostMemory.copyFromArray(bytes, 0, address, bytes.length);
    return address + size(bytes.length);
  }

  /** Runs {@code cpu} at host address {@code code} until control leaves host code. */
  @BetweenRegions
  void run(VCpu cpu, long head, long code) {
    long[] regs = cpu.regs;
    if (regs[Slots.TARGETS] == 0) {
      regs[Slots.TARGETS] = table();
    }
    regs[Slots.PC] = cpu.pc;
    long mapping = cpu.matchedMapping();
    HostTargets.put(regs[Slots.TARGETS], cpu.pc, mapping, code);
    regs[Slots.MAPPING] = mapping;
    while (true) {
      regs[Slots.READY] = cpu.ready();
      regs[Slots.FLAGS] = cpu.fp.flags;
      long result = memory.call(code, cpu.regsSegment, cpu.tlbSegment, cpu.context, head, cpu.budget);
      cpu.budget = regs[Slots.BUDGET];
      cpu.fp.flags = (int) regs[Slots.FLAGS];
      if ((int) regs[Slots.EXCEPTIONS] != HostFloating.NO_EXCEPTIONS) {
        cpu.fp.flags |= HostFloating.flags(regs[Slots.EXCEPTIONS]);
      }
      if (result < 0) {
        cpu.pc = regs[Slots.PC];
        if (result == LEFT_HOT) {
          cpu.hotEdge = true;
        } else if (result <= SPENT) {
          cpu.hotEdge = true;
          cpu.spentIn = regions[(int) (SPENT - result)];
        }
        return;
      }
      HostRegion region = regions[(int) (result >>> REGION_SHIFT)];
      int number = (int) result & MAX_STEPS - 1;
      head = regs[Slots.HEAD];
      if (!region.step(number).execute(cpu, head)) {
        return;
      }
      code = region.resume(number);
      regs[Slots.MAPPING] = cpu.matchedMapping();
    }
  }

  private synchronized long table() {
    long table = take(HostTargets.SIZE);
    if (table == 0) {
      throw new IllegalStateException("no memory for host code's targets");
    }
    HostTargets.clear(table);
    return table;
  }

  /** A number for a region that is to be. */
  synchronized int number() {
    return freeNumbers.isEmpty() ? numbers++ : freeNumbers.pop();
  }

  /** Gives back a number that no region got. */
  synchronized void forget(int number) {
    freeNumbers.push(number);
  }

  /** Copies the code to executable memory; the result is where it is, or 0 if there is no room. */
  synchronized long place(X64Assembler from) {
    long address = take(from.position());
    if (address == 0) {
      reuse(0);
    } else {
      write(from, address);
    }
    return address;
  }

  synchronized long bytes() {
    return next - memory.address();
  }

  /** Makes {@code region} known by its number. */
  synchronized void add(HostRegion region) {
    if (region.number() >= regions.length) {
      regions = Arrays.copyOf(regions, 2 * Math.max(regions.length, region.number()));
    }
    regions[region.number()] = region;
  }

  /** Has the memory and the number of {@code region} used again as soon as nobody runs it. */
  synchronized void discard(HostRegion region) {
    discarded.add(region);
    discardedBytes += size(region.size());
    reuse(BATCH);
  }

  /** Has used again what was discarded and nobody runs, and asks for the rest if it is {@code enough} bytes. */
  private void reuse(long enough) {
    if (discardedBytes > 0 && discardedBytes >= enough) {
      waiting.add(new Discarded(codeSpace.nextEpoch(), discarded));
      discarded = new ArrayList<>();
      discardedBytes = 0;
    }
    while (!waiting.isEmpty() && codeSpace.haveNoticed(waiting.peek().epoch())) {
      for (HostRegion old : waiting.pop().regions()) {
        free.computeIfAbsent(size(old.size()), s -> new ArrayDeque<>()).push(old.address());
        freeNumbers.push(old.number());
      }
    }
  }

  private long take(int bytes) {
    int size = size(bytes);
    Deque<Long> old = free.get(size);
    if (old != null && !old.isEmpty()) {
      return old.pop();
    }
    if (next + size > memory.address() + memory.size()) {
      return 0;
    }
    long address = next;
    next += size;
    return address;
  }

  /** Sizes are few, so that memory is used again: a power of two, or half as much again. */
  private static int size(int bytes) {
    int size = UNIT;
    while (size < bytes) {
      size = size < bytes && size + size / 2 >= bytes ? size + size / 2 : 2 * size;
    }
    return size;
  }
}
