package mlpcuda.data;

import java.util.Optional;

/**
 * A picture as an input of a network.
 *
 * @param pixels (rows, cols) of the network's images, one unsigned byte a pixel, 0 black
 * @param warning if the picture is probably not one character: a sentence that says so, and why
 */
public record Prepared(byte[] pixels, Optional<String> warning) {}
