/**
 * The command line: each command parses its options, calls the packages below and prints the
 * outcome. Exit codes and everything that is printed are decided here.
 *
 * <p>It may use every other package, and no other package uses it. This package is internal and may
 * change at any time.
 */
package mlpcuda.cli;
