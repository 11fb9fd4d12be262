package mlpcuda.compute.cuda;

import static jcuda.jcudnn.JCudnn.cudnnActivationBackward;
import static jcuda.jcudnn.JCudnn.cudnnActivationForward;
import static jcuda.jcudnn.JCudnn.cudnnAddTensor;
import static jcuda.jcudnn.JCudnn.cudnnCreate;
import static jcuda.jcudnn.JCudnn.cudnnCreateActivationDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroy;
import static jcuda.jcudnn.JCudnn.cudnnDestroyActivationDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnGetErrorString;
import static jcuda.jcudnn.JCudnn.cudnnGetVersion;
import static jcuda.jcudnn.JCudnn.cudnnSetActivationDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetStream;
import static jcuda.jcudnn.JCudnn.cudnnSetTensor4dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSoftmaxForward;
import static jcuda.jcudnn.cudnnActivationMode.CUDNN_ACTIVATION_RELU;
import static jcuda.jcudnn.cudnnActivationMode.CUDNN_ACTIVATION_SIGMOID;
import static jcuda.jcudnn.cudnnActivationMode.CUDNN_ACTIVATION_TANH;
import static jcuda.jcudnn.cudnnDataType.CUDNN_DATA_FLOAT;
import static jcuda.jcudnn.cudnnNanPropagation.CUDNN_PROPAGATE_NAN;
import static jcuda.jcudnn.cudnnSoftmaxAlgorithm.CUDNN_SOFTMAX_LOG;
import static jcuda.jcudnn.cudnnSoftmaxMode.CUDNN_SOFTMAX_MODE_INSTANCE;
import static jcuda.jcudnn.cudnnStatus.CUDNN_STATUS_SUCCESS;
import static jcuda.jcudnn.cudnnTensorFormat.CUDNN_TENSOR_NCHW;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnActivationDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.runtime.cudaStream_t;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.JCudaObjects.Address;

/**
 * cuDNN 9 by JCudnn, whose Java classes are made for cuDNN 8. JCudnn's names of status codes are
 * out of date, too, so that cuDNN gives the text. All functions that are called here have the same
 * signatures and constants in both versions.
 *
 * <p>None of these operations has a workspace, and descriptors live on the host: a step can be
 * recorded once it has run, which loads cuDNN's kernels.
 */
final class Cudnn implements Dnn {
  private record Shape(int N, int C) {}

  private final String description;
  private final cudnnHandle handle = new cudnnHandle();
  private final Map<Shape, cudnnTensorDescriptor> tensors = new HashMap<>(); // made when first used
  private final Map<Activation, cudnnActivationDescriptor> activations =
      new EnumMap<>(Activation.class);
  private final Resources resources = new Resources();
  private final Pointer zero;
  private final Pointer one;
  private boolean closed;

  /**
   * Opens cuDNN for a stream, on the current context, before any recording of it.
   *
   * @throws mlpcuda.error.DeviceException if cuDNN 9 is not found, or does not start
   */
  Cudnn(CudaDriver driver, Natives natives, CUstream stream) {
    load(natives, CudaLibrary.cudnn(CudaLibrary.folders()));
    long version = cudnnGetVersion();
    description = "cuDNN %d.%d.%d".formatted(version / 10000, version / 100 % 100, version % 100);
    Pointer scalars =
        Pointer.to(
            ByteBuffer.allocateDirect(2 * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .putFloat(Float.BYTES, 1f));
    zero = scalars;
    one = scalars.withByteOffset(Float.BYTES);
    try {
      check("cudnnCreate", cudnnCreate(handle));
    } catch (CudaException e) {
      throw GpuProblem.ofCudnn(e, driver.device()).exception(e);
    }
    resources.add(() -> check("cudnnDestroy", cudnnDestroy(handle)));
    try {
      check("cudnnSetStream", cudnnSetStream(handle, new cudaStream_t(stream)));
      add(Activation.RELU, CUDNN_ACTIVATION_RELU);
      add(Activation.SIGMOID, CUDNN_ACTIVATION_SIGMOID);
      add(Activation.TANH, CUDNN_ACTIVATION_TANH);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private static void load(Natives natives, CudaLibrary library) {
    try {
      library.load();
      natives.load("JCudnn", () -> JCudnn.setExceptionsEnabled(false));
    } catch (LinkageError e) {
      String what = String.valueOf(e.getMessage());
      throw GpuProblem.noCudnn(library.name(), library.others(), what, Surroundings.here())
          .exception(e);
    }
  }

  private void add(Activation activation, int mode) {
    var descriptor = new cudnnActivationDescriptor();
    check("cudnnCreateActivationDescriptor", cudnnCreateActivationDescriptor(descriptor));
    resources.add(
        () ->
            check(
                "cudnnDestroyActivationDescriptor", cudnnDestroyActivationDescriptor(descriptor)));
    activations.put(activation, descriptor);
    check(
        "cudnnSetActivationDescriptor",
        cudnnSetActivationDescriptor(descriptor, mode, CUDNN_PROPAGATE_NAN, 0));
  }

  private cudnnActivationDescriptor descriptor(Activation activation) {
    cudnnActivationDescriptor known = activations.get(activation);
    if (known == null) {
      throw new IllegalArgumentException(
          "the activation must be one of %s, found %s".formatted(activations.keySet(), activation));
    }
    return known;
  }

  private cudnnTensorDescriptor descriptor(int N, int C) {
    if (closed) {
      throw new IllegalStateException("cuDNN is closed");
    }
    var shape = new Shape(N, C);
    cudnnTensorDescriptor known = tensors.get(shape);
    if (known != null) {
      return known;
    }
    var made = new cudnnTensorDescriptor();
    check("cudnnCreateTensorDescriptor", cudnnCreateTensorDescriptor(made));
    int set = cudnnSetTensor4dDescriptor(made, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, N, C, 1, 1);
    if (set != CUDNN_STATUS_SUCCESS) {
      cudnnDestroyTensorDescriptor(
          made); // a failure of this call is dropped: the first one is reported
    }
    check("cudnnSetTensor4dDescriptor", set);
    resources.add(() -> check("cudnnDestroyTensorDescriptor", cudnnDestroyTensorDescriptor(made)));
    tensors.put(shape, made);
    return made;
  }

  private cudnnTensorDescriptor descriptor(DeviceMatrix tensor) {
    return descriptor(tensor.rows(), tensor.columns());
  }

  private static Address address(DeviceMatrix tensor) {
    return new Address(tensor.address());
  }

  @Override
  public void addTensor(DeviceMatrix c, long a) {
    cudnnTensorDescriptor row = descriptor(1, c.columns());
    cudnnTensorDescriptor rows = descriptor(c);
    check(
        "cudnnAddTensor", cudnnAddTensor(handle, one, row, new Address(a), one, rows, address(c)));
  }

  @Override
  public void activationForward(DeviceMatrix y, DeviceMatrix x, Activation activation) {
    cudnnTensorDescriptor in = descriptor(x);
    cudnnTensorDescriptor out = descriptor(y);
    check(
        "cudnnActivationForward",
        cudnnActivationForward(
            handle, descriptor(activation), one, in, address(x), zero, out, address(y)));
  }

  @Override
  public void activationBackward(
      DeviceMatrix dx, DeviceMatrix y, DeviceMatrix dy, DeviceMatrix x, Activation activation) {
    check(
        "cudnnActivationBackward",
        cudnnActivationBackward(
            handle,
            descriptor(activation),
            one,
            descriptor(y),
            address(y),
            descriptor(dy),
            address(dy),
            descriptor(x),
            address(x),
            zero,
            descriptor(dx),
            address(dx)));
  }

  @Override
  public void logSoftmaxForward(DeviceMatrix y, DeviceMatrix x) {
    cudnnTensorDescriptor in = descriptor(x);
    cudnnTensorDescriptor out = descriptor(y);
    check(
        "cudnnSoftmaxForward",
        cudnnSoftmaxForward(
            handle,
            CUDNN_SOFTMAX_LOG,
            CUDNN_SOFTMAX_MODE_INSTANCE,
            one,
            in,
            address(x),
            zero,
            out,
            address(y)));
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    if (closed) {
      throw new IllegalStateException("cuDNN is closed");
    }
    closed = true;
    resources.close();
  }

  private void check(String call, int code) {
    if (code != CUDNN_STATUS_SUCCESS) {
      throw new CudaException(call, code, cudnnGetErrorString(code), description);
    }
  }
}
