package org.ascus.isa.code;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.ConvertInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.StoreInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.ascus.isa.code.Formula.Binary;
import org.ascus.isa.code.Formula.Condition;
import org.ascus.isa.code.Formula.Constant;
import org.ascus.isa.code.Formula.Floating;
import org.ascus.isa.code.Formula.FloatingOperation;
import org.ascus.isa.code.Formula.Operation;
import org.ascus.isa.code.Formula.Parameter;
import org.ascus.isa.code.Formula.Relation;
import org.ascus.isa.code.Formula.Select;
import org.ascus.isa.code.Formula.Unary;
import org.ascus.isa.code.Formula.UnaryOperation;
import org.ascus.isa.fp.F32;
import org.ascus.isa.fp.F64;
import org.ascus.isa.fp.FpStatus;

/**
 * Reads from the bytecode of semantic methods what they compute, so that a tier that makes code of its own needs no
 * second description of an instruction. It takes static methods without loops of longs and ints, and what
 * {@link F32} and {@link F64} do.
 */
public final class Semantics {
  private static final Map<Method, Optional<Formula>> KNOWN = new ConcurrentHashMap<>();
  private static final ClassDesc STATUS = FpStatus.class.describeConstable().orElseThrow();
  private static final ClassDesc DOUBLE = F64.class.describeConstable().orElseThrow();
  private static final ClassDesc FLOAT = F32.class.describeConstable().orElseThrow();
  private static final Map<Class<?>, Map<String, List<CodeElement>>> CLASSES = new ConcurrentHashMap<>();

  /** Two longs that lcmp or a method compares: three-way, as an int. */
  private record Comparison(boolean signed, boolean wide, Formula a, Formula b) {}

  /** What is not one of those methods. */
  private static final class TooMuch extends Exception {
    private static final long serialVersionUID = 1;
  }

  private final Class<?> owner;
  private final List<CodeElement> code;
  private final Map<Label, Integer> targets = new HashMap<>();
  private final Map<Integer, Formula> variables = new HashMap<>();
  private boolean branched;

  private Semantics(Class<?> owner, List<CodeElement> code, List<ClassDesc> parameters) {
    this.owner = owner;
    this.code = code;
    int slot = 0;
    for (int i = 0; i < parameters.size(); i++) {
      variables.put(slot, parameters.get(i).equals(STATUS) ? Formula.ZERO : new Parameter(i));
      slot += parameters.get(i).equals(ConstantDescs.CD_long) ? 2 : 1;
    }
    for (int i = 0; i < code.size(); i++) {
      if (code.get(i) instanceof LabelTarget target) {
        targets.put(target.label(), i);
      }
    }
  }

  /** What {@code method} computes of its parameters; a boolean is 0 or 1. Empty if that is too much. */
  public static Optional<Formula> of(Method method) {
    return KNOWN.computeIfAbsent(method, Semantics::read);
  }

  private static Optional<Formula> read(Method method) {
    for (Class<?> type : method.getParameterTypes()) {
      if (type != long.class && type != int.class && type != FpStatus.class) {
        return Optional.empty();
      }
    }
    try {
      MethodTypeDesc type = MethodType.methodType(void.class, method.getParameterTypes()).describeConstable().get();
      return Optional.of(read(method.getDeclaringClass(), method.getName(), type).simplified());
    } catch (TooMuch e) {
      return Optional.empty();
    }
  }

  private static Formula read(Class<?> owner, String name, MethodTypeDesc type) throws TooMuch {
    List<CodeElement> code = CLASSES.computeIfAbsent(owner, Semantics::methods).get(name);
    return new Semantics(owner, code, type.parameterList()).run(0, new ArrayDeque<>());
  }

  private static Map<String, List<CodeElement>> methods(Class<?> type) {
    try (InputStream in = type.getResourceAsStream(type.getSimpleName() + ".class")) {
      Map<String, List<CodeElement>> found = new HashMap<>();
      for (MethodModel method : ClassFile.of().parse(in.readAllBytes()).methods()) {
        method.code().ifPresent(code -> found.put(method.methodName().stringValue(), code.elementList()));
      }
      return found;
    } catch (IOException e) {
      throw new IllegalStateException("the class file of " + type, e);
    }
  }

  /** What is returned if control comes to element {@code start} with {@code stack}, which holds all operands. */
  private Formula run(int start, Deque<Object> stack) throws TooMuch {
    for (int i = start; i < code.size(); i++) {
      switch (code.get(i)) {
        case LoadInstruction load -> stack.push(variables.get(load.slot()));
        case StoreInstruction store -> {
          if (branched) {
            throw new TooMuch();
          }
          variables.put(store.slot(), value(stack));
        }
        case ConstantInstruction constant when constant.constantValue() instanceof Number n ->
            stack.push(new Constant(n.longValue()));
        case OperatorInstruction operator -> operate(operator.opcode(), stack);
        case ConvertInstruction convert -> convert(convert.opcode(), stack);
        case InvokeInstruction invoke -> invoke(invoke, stack);
        case BranchInstruction branch -> {
          int target = targets.get(branch.target());
          if (target <= i) {
            throw new TooMuch();
          }
          // Variables are written before the first branch only: there is one set of them.
          branched = true;
          if (branch.opcode() == Opcode.GOTO || branch.opcode() == Opcode.GOTO_W) {
            return run(target, stack);
          }
          Condition condition = condition(branch.opcode(), stack);
          Formula yes = run(target, new ArrayDeque<>(stack));
          Formula no = run(i + 1, stack);
          boolean inverted = yes.equals(new Constant(0));
          return inverted ? new Select(condition.negated(), no, yes) : new Select(condition, yes, no);
        }
        case ReturnInstruction _ -> {
          return value(stack);
        }
        case java.lang.classfile.Instruction _ -> throw new TooMuch();
        default -> {
          // Labels and line numbers.
        }
      }
    }
    throw new TooMuch();
  }

  private static Formula value(Deque<Object> stack) throws TooMuch {
    if (stack.pop() instanceof Formula e) {
      return e;
    }
    throw new TooMuch();
  }

  private static void operate(Opcode opcode, Deque<Object> stack) throws TooMuch {
    Formula b = value(stack);
    switch (opcode) {
      case LNEG -> stack.push(new Binary(Operation.SUBTRACT, true, new Constant(0), b));
      case INEG -> stack.push(new Binary(Operation.SUBTRACT, false, new Constant(0), b));
      case LCMP -> stack.push(new Comparison(true, true, value(stack), b));
      default -> {
        Operation operation =
            switch (opcode) {
              case LADD, IADD -> Operation.ADD;
              case LSUB, ISUB -> Operation.SUBTRACT;
              case LAND, IAND -> Operation.AND;
              case LOR, IOR -> Operation.OR;
              case LXOR, IXOR -> Operation.XOR;
              case LMUL, IMUL -> Operation.MULTIPLY;
              case LDIV, IDIV -> Operation.DIVIDE;
              case LREM, IREM -> Operation.REMAINDER;
              case LSHL, ISHL -> Operation.SHIFT_LEFT;
              case LSHR, ISHR -> Operation.SHIFT_RIGHT;
              case LUSHR, IUSHR -> Operation.SHIFT_RIGHT_UNSIGNED;
              default -> throw new TooMuch();
            };
        boolean wide = opcode.name().startsWith("L");
        Formula a = value(stack);
        boolean inverse = operation == Operation.XOR && a instanceof Constant && b instanceof Constant;
        stack.push(
            inverse
                ? new Constant(((Constant) a).value() ^ ((Constant) b).value())
                : new Binary(operation, wide, a, b));
      }
    }
  }

  private static void convert(Opcode opcode, Deque<Object> stack) throws TooMuch {
    UnaryOperation operation =
        switch (opcode) {
          case L2I -> UnaryOperation.LOW_WORD;
          case I2L -> UnaryOperation.SIGN_EXTEND_WORD;
          case I2B -> UnaryOperation.SIGN_EXTEND_BYTE;
          case I2S -> UnaryOperation.SIGN_EXTEND_HALF;
          default -> throw new TooMuch();
        };
    Formula operand = value(stack);
    boolean constant = opcode == Opcode.I2L && operand instanceof Constant;
    stack.push(constant ? operand : new Unary(operation, operand));
  }

  private void invoke(InvokeInstruction invoke, Deque<Object> stack) throws TooMuch {
    ClassDesc type = invoke.owner().asSymbol();
    if (type.equals(DOUBLE) || type.equals(FLOAT)) {
      stack.push(floating(invoke, type.equals(DOUBLE), arguments(invoke, stack)));
    } else if (type.equals(owner.describeConstable().orElseThrow())) {
      Formula[] arguments = arguments(invoke, stack);
      stack.push(read(owner, invoke.name().stringValue(), invoke.typeSymbol()).with(i -> arguments[i]));
    } else {
      invokeLibrary(invoke, stack);
    }
  }

  private static Formula[] arguments(InvokeInstruction invoke, Deque<Object> stack) throws TooMuch {
    Formula[] arguments = new Formula[invoke.typeSymbol().parameterCount()];
    for (int i = arguments.length - 1; i >= 0; i--) {
      arguments[i] = value(stack);
    }
    return arguments;
  }

  /** The first argument is the status, and what is more than the operands the rounding mode. */
  private static Formula floating(InvokeInstruction invoke, boolean wide, Formula[] arguments) throws TooMuch {
    FloatingOperation operation =
        switch (invoke.name().stringValue()) {
          case "add" -> FloatingOperation.ADD;
          case "sub" -> FloatingOperation.SUBTRACT;
          case "mul" -> FloatingOperation.MULTIPLY;
          case "div" -> FloatingOperation.DIVIDE;
          case "sqrt" -> FloatingOperation.SQUARE_ROOT;
          case "fma" -> FloatingOperation.FUSED;
          case "eq" -> FloatingOperation.EQUAL;
          case "lt" -> FloatingOperation.LESS;
          case "le" -> FloatingOperation.LESS_EQUAL;
          case "fromInt32" -> FloatingOperation.FROM_WORD;
          case "fromUint32" -> FloatingOperation.FROM_UNSIGNED_WORD;
          case "fromInt64" -> FloatingOperation.FROM_LONG;
          case "fromUint64" -> FloatingOperation.FROM_UNSIGNED_LONG;
          case "toInt32" -> FloatingOperation.TO_WORD;
          case "toInt64" -> FloatingOperation.TO_LONG;
          case "fromF32", "fromF64" -> FloatingOperation.FROM_OTHER_WIDTH;
          default -> throw new TooMuch();
        };
    int operands =
        switch (operation) {
          case SQUARE_ROOT, FROM_WORD, FROM_UNSIGNED_WORD, FROM_LONG, FROM_UNSIGNED_LONG, TO_WORD, TO_LONG,
              FROM_OTHER_WIDTH ->
              1;
          case FUSED -> 3;
          default -> 2;
        };
    Formula rounding = arguments.length > operands + 1 ? arguments[operands + 1] : Formula.ZERO;
    return new Floating(operation, wide, List.of(arguments).subList(1, operands + 1), rounding);
  }

  private static void invokeLibrary(InvokeInstruction invoke, Deque<Object> stack) throws TooMuch {
    String owner = invoke.owner().asInternalName();
    boolean wide = owner.equals("java/lang/Long");
    if (!wide && !owner.equals("java/lang/Integer") && !owner.equals("java/lang/Math")) {
      throw new TooMuch();
    }
    Formula b = value(stack);
    String name = invoke.name().stringValue();
    Optional<UnaryOperation> unary = unary(name, wide);
    if (unary.isPresent()) {
      stack.push(new Unary(unary.get(), b));
      return;
    }
    List<Object> rest = new ArrayList<>(stack);
    if (rest.isEmpty() || !(rest.getFirst() instanceof Formula a)) {
      throw new TooMuch();
    }
    stack.pop();
    stack.push(
        switch (name) {
          case "compareUnsigned" -> new Comparison(false, wide, a, b);
          case "divideUnsigned" -> new Binary(Operation.DIVIDE_UNSIGNED, wide, a, b);
          case "remainderUnsigned" -> new Binary(Operation.REMAINDER_UNSIGNED, wide, a, b);
          case "rotateLeft" -> new Binary(Operation.ROTATE_LEFT, wide, a, b);
          case "rotateRight" -> new Binary(Operation.ROTATE_RIGHT, wide, a, b);
          case "multiplyHigh" -> new Binary(Operation.MULTIPLY_HIGH, true, a, b);
          case "unsignedMultiplyHigh" -> new Binary(Operation.MULTIPLY_HIGH_UNSIGNED, true, a, b);
          case "max" -> new Select(new Condition(Relation.GREATER_EQUAL, true, a, b), a, b);
          case "min" -> new Select(new Condition(Relation.LESS, true, a, b), a, b);
          default -> throw new TooMuch();
        });
  }

  private static Optional<UnaryOperation> unary(String name, boolean wide) {
    return switch (name) {
      case "numberOfLeadingZeros" ->
          Optional.of(wide ? UnaryOperation.LEADING_ZEROS : UnaryOperation.LEADING_ZEROS_OF_WORD);
      case "numberOfTrailingZeros" ->
          Optional.of(wide ? UnaryOperation.TRAILING_ZEROS : UnaryOperation.TRAILING_ZEROS_OF_WORD);
      case "bitCount" -> Optional.of(wide ? UnaryOperation.ONES : UnaryOperation.ONES_OF_WORD);
      case "reverseBytes" -> wide ? Optional.of(UnaryOperation.REVERSE_BYTES) : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Condition condition(Opcode opcode, Deque<Object> stack) throws TooMuch {
    Relation relation =
        switch (opcode) {
          case IFEQ, IF_ICMPEQ -> Relation.EQUAL;
          case IFNE, IF_ICMPNE -> Relation.NOT_EQUAL;
          case IFLT, IF_ICMPLT -> Relation.LESS;
          case IFGE, IF_ICMPGE -> Relation.GREATER_EQUAL;
          case IFGT, IF_ICMPGT -> Relation.GREATER;
          case IFLE, IF_ICMPLE -> Relation.LESS_EQUAL;
          default -> throw new TooMuch();
        };
    boolean two = opcode.name().startsWith("IF_ICMP");
    Formula b = two ? value(stack) : new Constant(0);
    if (!two && stack.peek() instanceof Comparison c) {
      stack.pop();
      return new Condition(c.signed() ? relation : relation.unsigned(), c.wide(), c.a(), c.b());
    }
    return new Condition(relation, false, value(stack), b);
  }
}
