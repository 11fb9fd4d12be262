/**
 * The exceptions that a caller of the library may meet: a file that cannot be used, a device that
 * cannot be used, a training run whose numbers are no longer finite, and a run that was told to
 * stop. All are unchecked, and their messages are written to be shown to a user.
 *
 * <p>This package is part of the public interface of the library. It uses no other package.
 */
package mlpcuda.error;
