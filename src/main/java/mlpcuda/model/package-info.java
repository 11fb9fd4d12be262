/**
 * The file formats of networks and checkpoints: safetensors, its metadata and checksums, weights
 * that PyTorch saved, and ONNX.
 *
 * <p>It uses the packages {@code net}, {@code compute}, {@code data}, {@code preparation}, {@code
 * files} and {@code error}. This package is internal and may change at any time.
 */
package mlpcuda.model;
