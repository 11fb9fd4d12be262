/**
 * Training runs: their settings as data, the loop from a start to a saved network, the files of a
 * run's folder, and how a run goes on from its checkpoint. The library and the command line both
 * stand on this package. It is internal and may change at any time.
 */
package mlpcuda.run;
