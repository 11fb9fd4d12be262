package mlpcuda.compute.cuda.ptx.machine;

import java.util.Set;

/** The first addresses of the allocations that a launch accessed. */
public record Accesses(Set<Long> read, Set<Long> written) {}
