/**
 * IEEE 754-2019 binary floating point, exact to the bit and to the flag, for guest CPUs of any ISA.
 *
 * <p>Here live the formats ({@link org.ascus.isa.fp.F32}, {@link org.ascus.isa.fp.F64}), their rounding modes and
 * exception flags. Here does not live what belongs to one ISA: NaN boxing, control registers, dynamic rounding modes,
 * traps on exceptions.
 *
 * <h2>Design</h2>
 *
 * <p><b>Encodings in, encodings out.</b> Operations are static methods on int or long bit patterns with a mutable
 * status as first parameter. Nothing is allocated, nothing is looked up; a rounding mode that is constant at the
 * call folds away under partial evaluation.
 *
 * <p><b>One truth, one shortcut.</b> {@link org.ascus.isa.fp.SoftFloat} does every operation for every operand in
 * integer arithmetic, once for all formats: unpack to a 64-bit significand with a sticky lowest bit, operate, round and
 * pack. The public methods try host arithmetic first. It is taken when the host's rounding (to nearest even) is the one
 * asked for and the host's result is ordinary: finite, and above the smallest normal number. Such a result cannot come
 * from a NaN or an infinity among the addends and factors and cannot have overflowed or underflowed, so that only
 * "inexact" is left to find out:
 *
 * <ul>
 *   <li>not at all if the flag is set already, which in practice it nearly always is;
 *   <li>a sum by Knuth's 2Sum, which gives its rounding error exactly;
 *   <li>products, quotients and roots by multiplying significands back as integers. A residual by fused multiply-add
 *       would do as well, but could itself underflow, and is very slow on a host without the instruction;
 *   <li>binary32 by comparing with the same result in binary64, where products are exact.
 * </ul>
 *
 * <p>A binary32 fused multiply-add is done in binary64 with the sum rounded to odd, so that rounding it again to 24
 * bits is the same as rounding once. A binary64 one uses the host's instruction when "inexact" is set, else the slow
 * path; {@code -Dascus.fp.hostFma=false} keeps it off hosts that lack the instruction.
 *
 * <p><b>Choices that are RISC-V's.</b> NaN results are the default NaN, tininess is detected after rounding,
 * conversions to integers saturate with a NaN going to the largest, minimum and maximum prefer a number to a NaN.
 * ISAs that propagate NaN payloads, detect tininess before rounding or flush subnormals need these as parameters of
 * the slow path, and of the tests that guard the fast one.
 *
 * <p><b>Proof.</b> The tests compute each result and its flags a second time with unbounded integers from the
 * definition, for special values in all combinations and for random encodings, in all modes, on both paths.
 */
package org.ascus.isa.fp;
