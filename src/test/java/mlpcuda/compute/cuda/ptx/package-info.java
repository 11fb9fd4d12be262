/**
 * An interpreter of PTX, NVIDIA's assembly language, in Java: it runs kernels without a GPU and
 * finds errors that a GPU makes in silence. It is a tool of its own, of which the program's tests
 * are the only users so far; of the program it knows two values alone, a launch's shape and its
 * arguments.
 *
 * <pre>{@code
 * PtxModule module = PtxModule.parse("name for messages", text);
 * DeviceMemory memory = new DeviceMemory();
 * long buffer = memory.allocate(4 * 256);
 * module.run("kernel", Shape.of(2, 128), new Arguments().address(buffer), memory);
 * memory.read(buffer, bytes);
 * }</pre>
 *
 * <h2>How a kernel runs</h2>
 *
 * <p>{@code module} is the front. {@code parse} reads the text, {@code decode} makes an instruction
 * of each statement, {@code machine} runs them warp by warp, {@code execute} says what an
 * instruction does, {@code arithmetic} what it computes, {@code memory} holds the device's bytes,
 * and {@code races} knows who accessed them. Packages use each other in this direction alone, which
 * {@code PackagesTest} holds; this package has what all of them share. {@code kernels} has small
 * kernels for the interpreter's own tests.
 *
 * <p>A warp's lanes at one instruction execute it together; those at the instruction that comes
 * first in the text go first, so that branches meet again. The blocks of an ordinary launch run one
 * after another in an order that looks random, as do the warps between two barriers. Those of a
 * cooperative launch ({@code runTogether}) are all live at once: a warp chosen at random executes
 * up to 48 instructions, then another; the choices repeat for the same seed. A launch ends with a
 * fault after 100 million instructions of warps, unless it is told another budget.
 *
 * <h2>What it knows of PTX</h2>
 *
 * <ul>
 *   <li>Integers of 16, 32 and 64 bits: add, sub, mul, mad, div, rem, min, max, neg, abs; bits:
 *       and, or, xor, not, cnot, shl, shr, shf, lop3, prmt, popc, clz, brev, bfi, bfe.
 *   <li>f32 with its directions of rounding, .ftz and .sat, and f64 rounded to nearest: add, sub,
 *       mul, fma, mad, div, rcp, sqrt, min, max, abs, neg, copysign; of f32 alone rsqrt, ex2, lg2,
 *       sin, cos, tanh and testp. What the ISA defines up to an error is off here by up to that
 *       error.
 *   <li>cvt between all of these and to and from f16, bf16 and tf32; setp, selp, slct, mov with
 *       vectors, logic of predicates.
 *   <li>ld and st of global and shared memory and parameters with vectors, cache hints, .nc,
 *       .volatile, .relaxed, .acquire and .release; atom and red (in cooperative launches alone);
 *       fence, membar, prefetch, cvta, nanosleep; cp.async with its groups; shared variables of
 *       static and dynamic size.
 *   <li>bra, brx.idx, ret, exit, bar.sync 0, bar.warp.sync, shfl, vote, activemask; ldmatrix m8n8
 *       of b16; mma m16n8k8 of tf32 and m16n8k16 of bf16 and f16.
 * </ul>
 *
 * <p>Anything else is a {@code Fault} when the module is parsed: a directive, an opcode, a modifier
 * that no decoder took, an operand of another size than its type. There are no calls, local memory,
 * textures, clusters or copies by mbarriers and tensor maps.
 *
 * <h2>What faults it finds</h2>
 *
 * <p>A {@code Fault} names the kernel, the block, the thread, the line and the instruction, and
 * what is wrong:
 *
 * <ul>
 *   <li>an access outside an allocation, after it was freed, between two shared variables, or at an
 *       address that is no multiple of its size;
 *   <li>a read of global memory that was never written, or of shared memory that this block has not
 *       written; a write to what was read as read-only (.nc);
 *   <li>a race: two accesses to a byte, not both reads, by threads that no barrier orders, in a
 *       block or between blocks. Bytes are tracked where kernels access less than a word;
 *   <li>an access to shared memory that an asynchronous copy fills while the thread that issued it
 *       has not waited; a source that changes before that wait. The copy is made at the wait, as a
 *       write by that thread: another thread sees it after a barrier alone;
 *   <li>in a cooperative launch a race by the causality order of PTX's memory model, kept in vector
 *       clocks: the message says whether a release or an acquire is missing. Blocks that poll
 *       memory for what never comes are a deadlock;
 *   <li>a barrier that not all threads reach, a shuffle or vote with a mask that lacks a lane or
 *       has an exited one, mma in a warp that is not whole, a tf32 that was not rounded;
 *   <li>a launch with a shape or arguments that do not fit the entry.
 * </ul>
 *
 * <p>{@code BankConflicts.during} counts how often accesses to shared memory meet in a bank. It
 * does not make a launch fail: a test asserts the counts.
 *
 * <p>What it cannot show: time, registers that spill, the scheduling of a real device, and the last
 * bits of mma, which is summed in double precision here.
 *
 * <h2>How to add an instruction</h2>
 *
 * <ol>
 *   <li>Arithmetic on registers: add a case to {@code find} of {@code IntegerOperations}, {@code
 *       BitOperations}, {@code FloatOperations}, {@code DoubleOperations} or {@code Conversions}.
 *       Take each modifier that the case understands from the {@code Opcode}; those that are left
 *       become a fault by themselves. Return the types of result and sources with the computation.
 *   <li>Anything that knows warps or memory: add a subclass of {@code Instruction} to {@code
 *       execute}, of {@code Control} if it decides where lanes go on, of {@code Meeting} if lanes
 *       wait for each other, of {@code GlobalAccess} if it accesses global memory; then a case to
 *       {@code Decoder} and a method to the decoder of its kind.
 *   <li>Test each type, modifier and edge against the ISA's text by {@code InstructionCase}, each
 *       check by {@code Emulation.assertFault}, and what is refused in {@code RefusalsTest}.
 * </ol>
 *
 * @see <a href="https://docs.nvidia.com/cuda/parallel-thread-execution/">PTX ISA</a>
 */
package mlpcuda.compute.cuda.ptx;
