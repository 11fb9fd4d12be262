package mlpcuda.compute.cuda;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;

/** JCuda's objects with access to their native values, which JCuda gives to subclasses alone. */
final class JCudaObjects {
  private JCudaObjects() {}

  /** An address of the device. */
  static final class Address extends CUdeviceptr {
    private static final CUdeviceptr NULL = new CUdeviceptr();

    Address(long address) {
      super(NULL, address);
    }

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** An address of page-locked memory of the host. */
  static final class HostAddress extends Pointer {
    HostAddress(long address) {
      super(address);
    }

    long value() {
      return getNativePointer();
    }
  }

  static final class Stream extends CUstream {
    long value() {
      return getNativePointer();
    }
  }

  static final class Event extends CUevent {
    long value() {
      return getNativePointer();
    }
  }

  static final class Module extends CUmodule {
    long value() {
      return getNativePointer();
    }
  }

  static final class Function extends CUfunction {
    final long module;

    /** The bytes of dynamic shared memory that its attribute allows a block by now. */
    int sharedBytes;

    Function(long module) {
      this.module = module;
    }

    long value() {
      return getNativePointer();
    }
  }

  static final class Graph extends CUgraphExec {
    int nodes;

    long value() {
      return getNativePointer();
    }
  }
}
