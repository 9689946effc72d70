package org.ascus.isa.riscv;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToLongFunction;
import org.ascus.isa.asm.Assembler;
import org.ascus.isa.asm.Dialect;
import org.ascus.isa.asm.Disassembler;

/** RISC-V assembly: register names and the pseudo-instructions of the assembly programmer's manual. */
public final class RiscvDialect implements Dialect {
  /** Mnemonic/number of operands = statements, separated by ";", operands as $1 to $3. */
  private static final String PSEUDO =
      """
      nop/0 = addi zero,zero,0
      mv/2 = addi $1,$2,0
      not/2 = xori $1,$2,-1
      neg/2 = sub $1,zero,$2
      negw/2 = subw $1,zero,$2
      sext.w/2 = addiw $1,$2,0
      zext.b/2 = andi $1,$2,255
      zext.w/2 = add.uw $1,$2,zero
      seqz/2 = sltiu $1,$2,1
      snez/2 = sltu $1,zero,$2
      sltz/2 = slt $1,$2,zero
      sgtz/2 = slt $1,zero,$2
      sgt/3 = slt $1,$3,$2
      sgtu/3 = sltu $1,$3,$2
      beqz/2 = beq $1,zero,$2
      bnez/2 = bne $1,zero,$2
      blez/2 = bge zero,$1,$2
      bgez/2 = bge $1,zero,$2
      bltz/2 = blt $1,zero,$2
      bgtz/2 = blt zero,$1,$2
      bgt/3 = blt $2,$1,$3
      ble/3 = bge $2,$1,$3
      bgtu/3 = bltu $2,$1,$3
      bleu/3 = bgeu $2,$1,$3
      j/1 = jal zero,$1
      jal/1 = jal ra,$1
      jr/1 = jalr zero,0($1)
      jalr/1 = jalr ra,0($1)
      jalr/3 = jalr $1,$3($2)
      ret/0 = jalr zero,0(ra)
      call/1 = jal ra,$1
      tail/1 = jal zero,$1
      la/2 = auipc $1,%pcrel_hi($2) ; addi $1,$1,%pcrel_lo_after($2)
      lla/2 = auipc $1,%pcrel_hi($2) ; addi $1,$1,%pcrel_lo_after($2)
      csrr/2 = csrrs $1,$2,zero
      csrw/2 = csrrw zero,$1,$2
      csrs/2 = csrrs zero,$1,$2
      csrc/2 = csrrc zero,$1,$2
      csrwi/2 = csrrwi zero,$1,$2
      csrsi/2 = csrrsi zero,$1,$2
      csrci/2 = csrrci zero,$1,$2
      rdcycle/1 = csrrs $1,cycle,zero
      rdtime/1 = csrrs $1,time,zero
      rdinstret/1 = csrrs $1,instret,zero
      frcsr/1 = csrrs $1,fcsr,zero
      fscsr/1 = csrrw zero,fcsr,$1
      fscsr/2 = csrrw $1,fcsr,$2
      frrm/1 = csrrs $1,frm,zero
      fsrm/1 = csrrw zero,frm,$1
      fsrm/2 = csrrw $1,frm,$2
      frflags/1 = csrrs $1,fflags,zero
      fsflags/1 = csrrw zero,fflags,$1
      fsflags/2 = csrrw $1,fflags,$2
      fmv.s/2 = fsgnj.s $1,$2,$2
      fabs.s/2 = fsgnjx.s $1,$2,$2
      fneg.s/2 = fsgnjn.s $1,$2,$2
      fmv.d/2 = fsgnj.d $1,$2,$2
      fabs.d/2 = fsgnjx.d $1,$2,$2
      fneg.d/2 = fsgnjn.d $1,$2,$2
      fence/0 = fence iorw,iorw
      sfence.vma/0 = sfence.vma zero,zero
      sfence.vma/1 = sfence.vma $1,zero
      unimp/0 = csrrw zero,cycle,zero
      """;

  /** Mnemonics of particular fences. */
  private static final Map<String, Integer> FENCES = Map.of("fence.tso", 0x8330_000f, "pause", 0x0100_000f);

  /** Register forms that may be written with a constant as last operand, and what is meant then. */
  private static final Map<String, String> IMMEDIATE_FORMS = new HashMap<>();

  static {
    for (String name : List.of("add", "and", "or", "xor", "sll", "srl", "sra", "slt", "ror")) {
      IMMEDIATE_FORMS.put(name, name + "i");
    }
    for (String name : List.of("bclr", "bext", "binv", "bset", "csrrw", "csrrs", "csrrc", "csrw", "csrs", "csrc")) {
      IMMEDIATE_FORMS.put(name, name + "i");
    }
    for (String name : List.of("addw", "sllw", "srlw", "sraw", "rorw")) {
      IMMEDIATE_FORMS.put(name, name.substring(0, name.length() - 1) + "iw");
    }
    IMMEDIATE_FORMS.put("sltu", "sltiu");
  }

  private static final int[] NOPS = {0x0001, 0x0000_0013};

  private final Map<String, String> pseudo = new HashMap<>();

  private RiscvDialect() {
    FENCES.forEach((name, bits) -> pseudo.put(name + "/0", ".word " + bits));
    PSEUDO
        .lines()
        .forEach(
            line -> {
              int equals = line.indexOf(" = ");
              pseudo.put(line.substring(0, equals), line.substring(equals + 3));
            });
  }

  /** The dialect by itself. */
  public static Dialect create() {
    return new RiscvDialect();
  }

  /** A disassembler for all RISC-V instructions known. */
  public static Disassembler disassembler() {
    return new Disassembler(RiscvTable.get(), create());
  }

  /** An assembler for all RISC-V instructions known. */
  public static Assembler assembler() {
    return new Assembler(RiscvTable.get(), create());
  }

  @Override
  public OptionalInt register(String name, boolean floatingPoint) {
    return floatingPoint ? RiscvNames.floating(name) : RiscvNames.integer(name);
  }

  @Override
  public String registerName(int number, boolean floatingPoint) {
    return floatingPoint ? RiscvNames.floating(number) : RiscvNames.integer(number);
  }

  @Override
  public OptionalInt systemRegister(String name) {
    return RiscvNames.csr(name);
  }

  @Override
  public Optional<String> systemRegisterName(int number) {
    return RiscvNames.csr(number);
  }

  @Override
  public Optional<List<String>> expand(String mnemonic, List<String> operands, ToLongFunction<String> evaluate) {
    if (mnemonic.equals("li") && operands.size() == 2) {
      List<String> statements = new ArrayList<>();
      loadImmediate(statements, operands.get(0), evaluate.applyAsLong(operands.get(1)));
      return Optional.of(statements);
    }
    if (mnemonic.equals("jalr") && operands.size() == 2 && operands.get(1).indexOf('(') < 0) {
      return Optional.of(List.of("jalr " + operands.get(0) + ",0(" + operands.get(1) + ")"));
    }
    String immediateForm = IMMEDIATE_FORMS.get(mnemonic);
    if (immediateForm != null
        && operands.size() >= 2
        && RiscvNames.integer(operands.getLast()).isEmpty()) {
      return Optional.of(List.of(immediateForm + " " + String.join(",", operands)));
    }
    String template = pseudo.get(mnemonic + "/" + operands.size());
    if (template == null) {
      return Optional.empty();
    }
    List<String> statements = new ArrayList<>();
    for (String statement : template.split(" ; ")) {
      statements.add(substitute(statement, operands));
    }
    return Optional.of(statements);
  }

  private static String substitute(String template, List<String> operands) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < template.length(); i++) {
      char c = template.charAt(i);
      text.append(c == '$' ? operands.get(template.charAt(++i) - '1') : c);
    }
    return text.toString();
  }

  /** The usual sequence: lui and addiw for 32 bits, otherwise the upper part, a shift and the low 12 bits. */
  private static void loadImmediate(List<String> statements, String rd, long value) {
    long low = value << 52 >> 52;
    if (value == (int) value) {
      long high = value + 0x800 >> 12 & 0xfffff;
      if (high != 0) {
        statements.add("lui " + rd + "," + high);
      }
      if (high == 0) {
        statements.add("addi " + rd + ",zero," + low);
      } else if (low != 0) {
        statements.add("addiw " + rd + "," + rd + "," + low);
      }
      return;
    }
    long high = value - low >> 12;
    int shift = Long.numberOfTrailingZeros(high);
    loadImmediate(statements, rd, high >> shift);
    statements.add("slli " + rd + "," + rd + "," + (12 + shift));
    if (low != 0) {
      statements.add("addi " + rd + "," + rd + "," + low);
    }
  }

  @Override
  public Optional<String> special(int bits) {
    return FENCES.entrySet().stream().filter(e -> e.getValue() == bits).map(Map.Entry::getKey).findFirst();
  }

  @Override
  public int[] padding() {
    return NOPS.clone();
  }
}
