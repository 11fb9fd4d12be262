/**
 * Finds accesses to the same byte that nothing orders. {@code Shadow} is for an ordinary launch,
 * whose blocks run one after another and are ordered by barriers alone. {@code GridPage} is for a
 * cooperative launch, whose threads are ordered by vector clocks, see {@code Causality}.
 */
package mlpcuda.compute.cuda.ptx.races;
