package mlpcuda.compute.cuda.ptx.decode;

import mlpcuda.compute.cuda.ptx.execute.Branches;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Makes an instruction of each statement of an entry. */
final class Decoder {
  private static final Type PREDICATE = Type.of("pred");

  private final int target;
  private final Operands operands;
  private final RegisterDecoder registers;
  private final PredicateDecoder predicates;
  private final MemoryDecoder memory;
  private final CopyDecoder copies;
  private final ControlDecoder control;

  Decoder(EntryDecoder entry) {
    target = entry.target();
    operands = new Operands(entry);
    registers = new RegisterDecoder(operands);
    predicates = new PredicateDecoder(operands);
    memory = new MemoryDecoder(entry, operands);
    copies = new CopyDecoder(operands);
    control = new ControlDecoder(entry, operands);
  }

  Instruction decode(Statement at) {
    Opcode op = new Opcode(at, target);
    boolean ofPredicates = PREDICATE.equals(op.peekType());
    Instruction instruction =
        switch (op.name) {
          case "ld" -> memory.load(op);
          case "st" -> memory.store(op);
          case "atom", "red" -> memory.atomic(op);
          case "ldmatrix" -> copies.loadMatrix(op, target);
          case "cp" -> copies.copy(op);
          case "prefetch" -> memory.prefetch(op);
          case "nanosleep" -> memory.sleep(op);
          case "cvta" -> memory.toAddress(op);
          case "membar", "fence" -> MemoryDecoder.fence(op);
          case "mov" -> ofPredicates ? predicates.move(op) : registers.move(op);
          case "selp" -> registers.select(op);
          case "slct" -> registers.selectBySign(op);
          case "mma" -> registers.multiply(op);
          case "setp" -> predicates.compare(op);
          case "testp" -> predicates.test(op);
          case "vote" -> predicates.vote(op);
          case "bra" -> control.branch(op);
          case "brx" -> control.branchByIndex(op);
          case "ret", "exit" -> new Branches.Exit(at);
          case "bar", "barrier" -> control.barrier(op);
          case "shfl" -> control.shuffle(op);
          case "activemask" -> control.activeMask(op);
          default -> ofPredicates ? predicates.combine(op) : registers.compute(op);
        };
    op.done();
    if (at.guard() != null) {
      instruction.guard(operands.predicate(at, at.guard()), at.negated());
    }
    return instruction;
  }
}
