"""Makes Markdown tables of the kernels from the output of assembler and disassembler, for scripts/kernel-table.sh.

    python3 scripts/kernel_table.py FOLDER [KERNEL …]

FOLDER has MODULE.ptx for each module, and for each of its architectures MODULE.ARCHITECTURE.log, the output of
`ptxas -v`, and MODULE.ARCHITECTURE.sass, the output of `cuobjdump -sass`; all .sass files may be missing. If there are
arguments KERNEL, the tables have these kernels alone.
`python3 -m doctest scripts/kernel_table.py` checks the examples below.
"""

import collections
import pathlib
import re
import sys

ARCHITECTURES = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90"]
DETAILED = "sm_90"  # the architecture whose machine code has a table of its own

# A multiprocessor's limits. Blocks, threads and shared memory: CUDA C++ Programming Guide 13.0, table "Technical
# Specifications per Compute Capability"; the same guide has the KiB that the system takes of each block's shared memory
# from 8.0 on. The units of allocation are those of CUDA 13.0's cuda_occupancy.h, and so are barriers, of __syncthreads and
# its kind, which that header takes for a limit from 9.0 on alone.
Limits = collections.namedtuple("Limits", "blocks threads barriers shared_bytes reserved_bytes shared_unit")
LIMITS = {
    "sm_75": Limits(16, 1024, None, 64 << 10, 0, 256),
    "sm_80": Limits(32, 2048, None, 164 << 10, 1 << 10, 128),
    "sm_86": Limits(16, 1536, None, 100 << 10, 1 << 10, 128),
    "sm_89": Limits(24, 1536, None, 100 << 10, 1 << 10, 128),
    "sm_90": Limits(32, 2048, 64, 228 << 10, 1 << 10, 128),
}
REGISTERS = 65536  # registers of a multiprocessor, a quarter of them in each of its four partitions
PARTITIONS = 4
REGISTER_UNIT = 256  # a warp gets registers by as many
WARP = 32


def up(n, unit):
    return -(-n // unit) * unit


def blocks(architecture, threads, registers, shared, barriers=1):
    """Returns how many blocks fit on a multiprocessor; static shared memory is in bytes.

    >>> blocks("sm_90", 256, 209, 36928)  # two warps a partition: 16384 registers, 6912 a warp
    1
    >>> blocks("sm_90", 256, 72, 32800)  # registers leave 3, shared memory 6
    3
    >>> blocks("sm_86", 256, 32, 33792)  # three times 33 KiB would fit, were there not a KiB more for each
    2
    >>> blocks("sm_75", 1, 8, 0), blocks("sm_86", 1024, 16, 0), blocks("sm_90", 32, 16, 0, barriers=5)
    (16, 1, 12)
    """
    limits = LIMITS[architecture]
    warps = up(threads, WARP) // WARP
    resident_warps = REGISTERS // PARTITIONS // up(max(registers, 1) * WARP, REGISTER_UNIT) * PARTITIONS
    fitting = [limits.blocks, limits.threads // (warps * WARP), resident_warps // warps]
    if limits.barriers and barriers:
        fitting.append(limits.barriers // barriers)
    block_bytes = up(shared + limits.reserved_bytes, limits.shared_unit)
    if block_bytes:
        fitting.append(limits.shared_bytes // block_bytes)
    return min(fitting)


# ---- what was assembled

Assembled = collections.namedtuple("Assembled", "registers shared barriers spilled")


def assembled(log):
    """Returns what `ptxas -v` says of each kernel, by the kernel's name.

    >>> assembled('''ptxas info    : Function properties for sum
    ...     8 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
    ... ptxas info    : Used 11 registers, used 1 barriers, 128 bytes smem, 388 bytes cmem[0]''')
    {'sum': Assembled(registers=11, shared=128, barriers=1, spilled=20)}
    """
    found, name, spilled = {}, None, 0
    for line in log.splitlines():
        if match := re.search(r"Function properties for (\w+)", line):
            name = match.group(1)
        elif "spill" in line:
            spilled = sum(map(int, re.findall(r"(\d+) bytes spill", line)))
        elif match := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+)(?:\+\d+)? bytes smem", line)
            barriers = re.search(r"used (\d+) barriers", line)
            found[name] = Assembled(
                int(match.group(1)),
                int(shared.group(1)) if shared else 0,
                int(barriers.group(1)) if barriers else 0,
                spilled,
            )
    return found


Entry = collections.namedtuple("Entry", "threads dynamic")


def entries(ptx):
    """Returns for each entry, by name, its threads per block and whether its launch adds dynamic shared memory.

    >>> entries('''.extern .shared .align 16 .b8 more[];
    ... .visible .entry one(
    ... )
    ... .maxntid 32, 2, 1
    ... { mov.u32 %r1, more; }
    ... .visible .entry other(
    ... ) { ret; }''')
    {'one': Entry(threads=64, dynamic=True), 'other': Entry(threads=0, dynamic=False)}
    """
    names = re.findall(r"^\.extern \.shared .*?(\w+)\[\];", ptx, re.M)
    found = {}
    for body in re.split(r"\.entry ", ptx)[1:]:
        threads = re.search(r"\.(?:max|req)ntid (\d+)(?:, (\d+))?(?:, (\d+))?", body)
        count = 0
        if threads:
            count = 1
            for n in threads.groups("1"):
                count *= int(n)
        dynamic = any(re.search(rf"\b{re.escape(name)}\b", body) for name in names)
        found[re.match(r"\w+", body).group()] = Entry(count, dynamic)
    return found


# ---- machine code

# An instruction of compute capability 7.0 or newer is a word of 128 bits, which the listing shows as two of 64, one
# a line. The upper 23 bits say how it is scheduled. Results that take an unknown time are waited for by one of six
# barriers: an instruction says which of them its result will signal, and which of them it waits for itself.
SIGNALS_SHIFT, NO_BARRIER = 46, 7  # 3 bits of the upper word: the barrier that the result signals
WAITS_SHIFT = 52  # a bit for each of the six barriers: whether the instruction waits for it
LISTED = re.compile(r"/\*([0-9a-f]{4,})\*/ +(?:@!?U?P[T\d]+ +)?([\w.]+)([^;]*); +/\* 0x[0-9a-f]{16} \*/")
UPPER = re.compile(r"^ +/\* 0x([0-9a-f]{16}) \*/$")
BITS = re.compile(r"\.[US](8|16)\b|\.(64|128)\b")
MATRICES = re.compile(r"\.MT?88(?:\.([24]))?\b")  # of LDSM: each gives a lane 32 bits
TARGET = re.compile(r"\b0x([0-9a-f]+) *$")
MULTIPLIED_BY_MODULES = ("gemm", "large", "fused", "persistent")  # whose kernels have main loops of products


def width(operation):
    """Returns the bits that a load gives each thread.

    >>> [width(x) for x in ("LDG.E.U8", "LDS", "LDS.128", "LDSM.16.M88.4", "LDSM.16.MT88.2", "LDSM.16.M88")]
    [8, 32, 128, 128, 64, 32]
    """
    if operation.startswith("LDSM"):
        return 32 * int(MATRICES.search(operation).group(1) or 1)
    bits = BITS.search(operation)
    return int(bits.group(1) or bits.group(2)) if bits else 32


# The main loop of a kernel: its operation that multiplies, how many it has, its instructions, the shared loads by
# operation and width, its barriers; and the instructions and barriers of the loop around it, 0 if there is none. Those
# of loops inside a loop do not count.
Loop = collections.namedtuple("Loop", "operation products instructions shared_loads barriers around barriers_around")


class Code:
    """Counts of a kernel's machine code, in which a loop's body counts once."""

    def __init__(self):
        self.instructions = 0
        self.loads = collections.Counter()  # from global memory, by width in bits
        self.copies = 0  # from global to shared memory, which nothing waits for by a barrier of these
        self.groups = []  # the number of loads of each group
        self.others = collections.Counter()  # by operation
        self.pending = set()  # barriers that the current group's loads will signal
        self.open = 0  # loads of the current group
        self.listing = []  # the address and operation of each instruction
        self.loops = {}  # the addresses of the last instruction of each loop, by that of its first

    def add(self, address, operation, operands, upper):
        """Counts an instruction: its operation with all suffixes, and its upper word.

        A group is the loads before an instruction waits for any of them, which takes one latency of the memory.
        """
        self.instructions += 1
        self.listing.append((address, operation))
        target = TARGET.search(operands) if operation.startswith("BRA") else None
        if target and int(target.group(1), 16) <= address:
            self.loops[int(target.group(1), 16)] = address
        waits = upper >> WAITS_SHIFT
        if any(waits >> barrier & 1 for barrier in self.pending):
            self.close()
        kind = operation.split(".")[0]
        if kind == "LDGSTS":
            self.copies += 1
        elif kind == "LDG":
            self.loads[width(operation)] += 1
            self.open += 1
            signals = upper >> SIGNALS_SHIFT & 7
            if signals != NO_BARRIER:
                self.pending.add(signals)
        else:
            self.others["LDS" if kind == "LDSM" else kind] += 1

    def close(self):
        """Ends the current group, if it has loads."""
        if self.open:
            self.groups.append(self.open)
        self.open = 0
        self.pending = set()

    def main_loop(self):
        """Returns the loop with the most HMMA or, where no loop has one, FFMA; None if no loop has either.

        Of several with as many it is the shortest: kernels have one for operands that are aligned, and a longer one for
        others. A branch backwards makes a loop, and an instruction belongs to the shortest one around it:

        >>> code = Code()
        >>> for i, operation in enumerate("MOV LDS.128 FFMA LDS FFMA BRA BAR.SYNC FFMA BRA FFMA".split()):
        ...     code.add(16 * i, operation, {5: " 0x10", 8: "!P1, 0x0"}.get(i, ""), 0)
        >>> code.loops, code.main_loop().shared_loads
        ({16: 80, 0: 128}, {('LDS', 128): 1, ('LDS', 32): 1})
        >>> code.main_loop()._replace(shared_loads=None)
        Loop(operation='FFMA', products=2, instructions=5, shared_loads=None, barriers=0, around=4, barriers_around=1)
        """
        bodies = collections.defaultdict(list)
        for address, operation in self.listing:
            loops = self.loops_around(address, address)
            if loops:
                bodies[loops[0]].append(operation)
        for kind in ("HMMA", "FFMA"):
            counts = {loop: sum(x.split(".")[0] == kind for x in body) for loop, body in bodies.items()}
            most = max(counts, key=lambda loop: (counts[loop], -len(bodies[loop])), default=None)
            if most and counts[most]:
                body = bodies[most]
                shared = collections.Counter((x.split(".")[0], width(x)) for x in body if x.startswith("LDS"))
                wider = [loop for loop in self.loops_around(*most) if loop != most]
                outside = bodies[wider[0]] if wider else []
                barriers = [sum(x.startswith("BAR") for x in part) for part in (body, outside)]
                return Loop(kind, counts[most], len(body), dict(shared), barriers[0], len(outside), barriers[1])
        return None

    def loops_around(self, first, last):
        """Returns the loops, by first and last address, that have all these addresses, the shortest one first."""
        loops = [(start, end) for start, end in self.loops.items() if start <= first and last <= end]
        return sorted(loops, key=lambda loop: loop[1] - loop[0])


def machine_code(sass):
    """Returns the code of each function of a listing, by name.

    The example has two loads under way together, of 8 and 32 bits, then one that needs their result for its address:

    >>> code = machine_code('''Function : example
    ...   /*0000*/       LDG.E.U8 R0, desc[UR8][R2.64] ; /* 0x0000000802007981 */
    ...                                                  /* 0x000ea2000c1e1900 */
    ...   /*0010*/       LDG.E R1, desc[UR8][R2.64] ;    /* 0x0000000802007981 */
    ...                                                  /* 0x000ea2000c1e1900 */
    ...   /*0020*/  @!P0 LDG.E R4, desc[UR8][R0.64] ;    /* 0x0000000802007981 */
    ...                                                  /* 0x004ee2000c1e1900 */
    ...   /*0030*/       BAR.SYNC 0x0 ;                  /* 0x0000000000007b1d */
    ...                                                  /* 0x008fec0000010000 */''')["example"]
    >>> code.groups, dict(code.loads), code.others["BAR"], code.instructions
    ([2, 1], {8: 1, 32: 2}, 1, 4)
    """
    found, code, listed = {}, None, None
    for line in sass.splitlines():
        if match := re.search(r"Function : (\w+)", line):
            code = found[match.group(1)] = Code()
        elif match := LISTED.search(line):
            listed = int(match.group(1), 16), match.group(2), match.group(3)
        elif listed and (match := UPPER.search(line)):
            code.add(*listed, int(match.group(1), 16))
            listed = None
    for code in found.values():
        code.close()
    return found


# ---- the tables


class Kernel:
    """An entry of a module, with what is known of it on each architecture that the module is for."""

    def __init__(self, module, name, entry):
        self.module, self.name, self.entry = module, name, entry
        self.assembled, self.code = {}, {}

    def blocks(self, architecture):
        """Returns the number of blocks that fit, with a ≤ if a launch adds shared memory."""
        one = self.assembled[architecture]
        if not self.entry.threads:
            return "?"
        fit = blocks(architecture, self.entry.threads, one.registers, one.shared, one.barriers)
        return f"≤{fit}" if self.entry.dynamic else str(fit)

    def over(self, told):
        """A cell with what `told` says of each architecture, and - where the module is not for it."""
        return " ".join(str(told(a)) if a in self.assembled else "-" for a in ARCHITECTURES)


def read(folder, wanted):
    kernels = []
    for ptx in sorted(folder.glob("*.ptx")):
        module = {name: Kernel(ptx.name, name, entry) for name, entry in entries(ptx.read_text()).items()}
        for architecture in ARCHITECTURES:
            log = ptx.with_suffix(f".{architecture}.log")
            if not log.exists():
                continue
            of_code = ptx.with_suffix(f".{architecture}.sass")
            code = machine_code(of_code.read_text()) if of_code.exists() else {}
            for name, one in assembled(log.read_text()).items():
                module[name].assembled[architecture] = one
                if name in code:
                    module[name].code[architecture] = code[name]
        kernels += [module[name] for name in sorted(module) if not wanted or name in wanted]
    return kernels


def table(head, rows):
    print(f"| {' | '.join(head)} |")
    print("|---|---|" + "--:|" * (len(head) - 2))
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print()


def resources(kernels):
    names = " ".join(ARCHITECTURES)
    table(
        ["module", "kernel", "threads", "shared", f"registers: {names}", f"blocks: {names}", "spilled"],
        [
            (
                kernel.module,
                f"`{kernel.name}`",
                kernel.entry.threads,
                max(one.shared for one in kernel.assembled.values()),
                kernel.over(lambda a: kernel.assembled[a].registers),
                kernel.over(kernel.blocks),
                sum(one.spilled for one in kernel.assembled.values()),
            )
            for kernel in kernels
        ],
    )
    print("Limits of a multiprocessor by which the blocks were counted (CUDA C++ Programming Guide 13.0, \"Technical")
    print("Specifications per Compute Capability\"; units of allocation: `cuda_occupancy.h`): 65,536 registers, a quarter for")
    print("each partition, by 256 a warp; shared memory with what the system reserves of it for each block.\n")
    table(
        ["architecture", "blocks", "threads", "barriers", "shared, KiB", "reserved a block, KiB", "unit, bytes"],
        [
            (name, of.blocks, of.threads, of.barriers or "-", of.shared_bytes >> 10, of.reserved_bytes >> 10, of.shared_unit)
            for name, of in LIMITS.items()
        ],
    )


def detailed(kernels):
    rows = []
    for kernel in kernels:
        code = kernel.code.get(DETAILED)
        if code is None:
            continue
        loads = ", ".join(f"{number} × {bits}" for bits, number in sorted(code.loads.items()))
        if code.copies:
            loads += f"{', ' if loads else ''}{code.copies} copies"
        counts = [code.others[kind] for kind in ("LDS", "STS", "BAR", "SHFL")]
        rows.append(
            (
                kernel.module,
                f"`{kernel.name}`",
                code.instructions,
                loads or 0,
                len(code.groups),
                max(code.groups, default=0),
                *counts,
            )
        )
    table(
        "module|kernel|instructions|loads × bits|groups|longest|shared loads|shared stores|barriers|shuffles".split("|"),
        rows,
    )


def main_loops(kernels):
    rows = []
    for kernel in kernels:
        code = kernel.code.get(DETAILED)
        loop = code.main_loop() if code and kernel.module.startswith(MULTIPLIED_BY_MODULES) else None
        if loop is None:
            continue
        loads = [
            f"{number} × {bits}{' by LDSM' if kind == 'LDSM' else ''}"
            for (kind, bits), number in sorted(loop.shared_loads.items())
        ]
        rows.append(
            (
                kernel.module,
                f"`{kernel.name}`",
                f"{loop.products} {loop.operation}",
                loop.instructions,
                f"{100 * loop.products / loop.instructions:.0f} %",
                ", ".join(loads) or 0,
                loop.barriers,
                loop.around,
                loop.barriers_around,
                code.copies,
            )
        )
    head = "module|kernel|products|instructions|share|shared loads × bits|barriers|around|barriers around|copies"
    table(head.split("|"), rows)


def elsewhere(kernels):
    others = [a for a in ARCHITECTURES if a != DETAILED]

    def cell(kernel, architecture):
        code = kernel.code.get(architecture)
        return f"{sum(code.loads.values())} in {len(code.groups)}" if code else "-"

    table(
        ["module", "kernel", *others],
        [(k.module, f"`{k.name}`", *(cell(k, a) for a in others)) for k in kernels if k.code],
    )


def main():
    kernels = read(pathlib.Path(sys.argv[1]), set(sys.argv[2:]))
    resources(kernels)
    if not any(kernel.code for kernel in kernels):
        print("There was no `cuobjdump` (`CUOBJDUMP=path`): what the machine code does is not here.")
        return
    print(f"## Machine code of {DETAILED}\n")
    print("Loads from global memory by width in bits, and the groups they come in: a group ends where an instruction waits for")
    print("one of its loads, so that each group is a latency of memory; `longest` is the one of the most loads. A loop's body")
    print("counts once. Read from the barriers in the instructions' words, not measured.\n")
    detailed(kernels)
    print(f"## Main loops of products on {DETAILED}\n")
    print("The loop with the most HMMA or, in a kernel without, FFMA, and of several with as many the shortest, which is the one")
    print("for aligned operands: how many of its instructions these are, its loads from shared memory by width in bits, and its")
    print("barriers; `around`: instructions and barriers of the loop around it, which loads the next operands if the main loop")
    print("does not. Loops inside a loop do not count. Copies are those of the whole kernel from global to shared memory")
    print("(LDGSTS).\n")
    main_loops(kernels)
    print("## Loads of other architectures, and the groups they come in\n")
    elsewhere(kernels)


if __name__ == "__main__":
    main()
