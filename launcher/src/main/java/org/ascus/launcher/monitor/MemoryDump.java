package org.ascus.launcher.monitor;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.ascus.isa.asm.Disassembler;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmCpu;
import org.ascus.polyglot.VmException;

/** {@code x}, {@code xp} and {@code print}: a count, a format (x d u o c i) and a size (b h w g) after a slash. */
final class MemoryDump {
  private static final int MAX_COUNT = 65536;
  private static final int LINE_BYTES = 16;

  private final Vm vm;
  private final Supplier<VmCpu> cpu;

  MemoryDump(Vm vm, Supplier<VmCpu> cpu) {
    this.vm = vm;
    this.cpu = cpu;
  }

  private record Format(int count, char kind, int width) {
    static Format parse(String text) {
      int count = 0;
      char kind = 'x';
      int width = 4;
      for (char c : text.toCharArray()) {
        switch (c) {
          case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> count = Math.min(MAX_COUNT, count * 10 + c - '0');
          case 'x', 'd', 'u', 'o', 'c', 'i' -> kind = c;
          case 'b' -> width = 1;
          case 'h' -> width = 2;
          case 'w' -> width = 4;
          case 'g' -> width = 8;
          default -> throw new IllegalArgumentException("invalid char in format: '" + c + "'");
        }
      }
      return new Format(count == 0 ? 1 : count, kind, kind == 'c' ? 1 : width);
    }

    String show(long value) {
      int digits = width * 2;
      return switch (kind) {
        case 'd' -> Long.toString(value << 64 - width * 8 >> 64 - width * 8);
        case 'u' -> Long.toUnsignedString(value);
        case 'o' -> "0" + Long.toOctalString(value);
        case 'c' -> value >= 32 && value < 127 ? "'" + (char) value + "'" : String.format("'\\x%02x'", value);
        default -> "0x" + String.format("%0" + digits + "x", value);
      };
    }
  }

  String run(List<String> arguments, boolean virtual) throws VmException {
    boolean formatted = !arguments.isEmpty() && arguments.getFirst().startsWith("/");
    Format format = Format.parse(formatted ? arguments.getFirst().substring(1) : "");
    String expression = String.join("", arguments.subList(formatted ? 1 : 0, arguments.size()));
    long address = evaluate(expression);
    return format.kind() == 'i' ? disassemble(format, address, virtual) : dump(format, address, virtual);
  }

  private String dump(Format format, long start, boolean virtual) throws VmException {
    StringBuilder text = new StringBuilder();
    int perLine = format.kind() == 'c' ? 8 : Math.max(1, LINE_BYTES / format.width());
    for (int i = 0; i < format.count(); i++) {
      long address = start + (long) i * format.width();
      if (i % perLine == 0) {
        text.append(i == 0 ? "" : "\n").append(String.format("%016x:", address));
      }
      long value = 0;
      for (int b = 0; b < format.width(); b++) {
        value |= (long) readByte(address + b, virtual) << 8 * b;
      }
      text.append(' ').append(format.show(value));
    }
    return text.append('\n').toString();
  }

  private String disassemble(Format format, long start, boolean virtual) throws VmException {
    Disassembler disassembler = RiscvDialect.disassembler();
    StringBuilder text = new StringBuilder();
    long address = start;
    for (int i = 0; i < format.count(); i++) {
      int word = readByte(address, virtual) | readByte(address + 1, virtual) << 8;
      int length = (word & 3) == 3 ? 4 : 2;
      if (length == 4) {
        word |= readByte(address + 2, virtual) << 16 | readByte(address + 3, virtual) << 24;
      }
      String hex = length == 4 ? String.format("%08x", word) : String.format("%04x    ", word);
      text.append(String.format("0x%016x:  %s          %s%n", address, hex, disassembler.disassemble(address, word)));
      address += length;
    }
    return text.toString();
  }

  /** {@code sum addr size}: what the BSD program of that name says of physical memory. */
  String sum(List<String> arguments) throws VmException {
    if (arguments.size() != 2) {
      throw new IllegalArgumentException("sum takes an address and a size");
    }
    long start = evaluate(arguments.getFirst());
    long size = evaluate(arguments.get(1));
    int sum = 0;
    for (long at = 0; Long.compareUnsigned(at, size) < 0; at++) {
      sum = (sum >> 1 | sum << 15) + readByte(start + at, false) & 0xffff;
    }
    return String.format("%05d%n", sum);
  }

  private int readByte(long address, boolean virtual) throws VmException {
    long physical = address;
    if (virtual) {
      OptionalLong translated = cpu.get().translate(address);
      physical =
          translated.orElseThrow(() -> new VmException("Cannot access memory at 0x" + Long.toHexString(address)));
    }
    return (int) vm.memory().read(physical, 1) & 0xff;
  }

  String print(List<String> arguments) {
    boolean formatted = !arguments.isEmpty() && arguments.getFirst().startsWith("/");
    Format format = Format.parse(formatted ? arguments.getFirst().substring(1) : "");
    long value = evaluate(String.join("", arguments.subList(formatted ? 1 : 0, arguments.size())));
    return switch (format.kind()) {
      case 'x', 'i' -> "0x" + Long.toHexString(value) + "\n";
      case 'd' -> value + "\n";
      default -> format.show(value) + "\n";
    };
  }

  /** Sums and differences of numbers and registers. */
  private long evaluate(String expression) {
    if (expression.isEmpty()) {
      throw new IllegalArgumentException("an address is missing");
    }
    long sum = 0;
    int at = 0;
    boolean minus = false;
    while (at < expression.length()) {
      int end = at + 1;
      while (end < expression.length() && "+-".indexOf(expression.charAt(end)) < 0) {
        end++;
      }
      long value = term(expression.substring(at, end));
      sum += minus ? -value : value;
      minus = end < expression.length() && expression.charAt(end) == '-';
      at = end + 1;
    }
    return sum;
  }

  private long term(String text) {
    if (text.startsWith("$")) {
      return cpu.get().register(text.substring(1));
    }
    try {
      return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not a number");
    }
  }

  static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not a number");
    }
  }
}
