package mlpcuda.preparation;

import java.util.Optional;

/**
 * A picture that was made ready for a network.
 *
 * @param pixels (rows, cols) of the network's images, one unsigned byte a pixel, 0 black
 * @param warning a sentence that says why the picture is probably not one character; empty if
 *     nothing speaks against it
 */
public record Prepared(byte[] pixels, Optional<String> warning) {}
