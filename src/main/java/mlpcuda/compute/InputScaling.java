package mlpcuda.compute;

/**
 * The map from a pixel to an input of a network: pixel · scale + shift.
 *
 * @param scale the factor of a pixel
 * @param shift what is added to a scaled pixel
 */
public record InputScaling(float scale, float shift) {}
