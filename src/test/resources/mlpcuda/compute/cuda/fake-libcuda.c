/*
 * A libcuda.so.1 with no GPU: memory is the host's, copies are made at once, streams, events,
 * modules, functions and graphs are numbers. Only what JCudaDriver calls is here; the symbols have
 * the suffixes that cuda.h's macros give them.
 */
#include "fake.h"

typedef unsigned long long address;

static void *handle(void) {
  static size_t last = 0x1000;
  return (void *) ++last;
}

static int capturing, nodes;

/* ---- devices ---- */

int cuInit(unsigned flags) { return call("cuInit", " %u", flags); }

int cuDriverGetVersion(int *version) {
  *version = (int) setting("version", 12060);
  return call("cuDriverGetVersion", "");
}

int cuDeviceGetCount(int *count) {
  *count = (int) setting("devices", 2);
  return call("cuDeviceGetCount", "");
}

int cuDeviceGet(int *device, int index) {
  *device = 70 + index;
  return call("cuDeviceGet", " %d", index);
}

int cuDeviceGetName(char *name, int length, int device) {
  snprintf(name, (size_t) length, "Fake %d", device);
  return call("cuDeviceGetName", " %d", device);
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  *bytes = 5000000000ul;
  return call("cuDeviceTotalMem", " %d", device);
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? (int) setting("major", 8)
      : attribute == 76 ? (int) setting("minor", 6)
      : attribute == 16 ? 82
      : attribute == 97 ? 101376 /* CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN */
      : attribute == 95 ? (int) setting("cooperative", 1) : -1;
  return call("cuDeviceGetAttribute", " %d %d", attribute, device);
}

static int retained;
static void *current;

int cuDevicePrimaryCtxRetain(void **context, int device) {
  retained++;
  *context = (void *) 0xc0de;
  return call("cuDevicePrimaryCtxRetain", " %d", device);
}

int cuDevicePrimaryCtxRelease_v2(int device) {
  retained--;
  return call("cuDevicePrimaryCtxRelease", " %d", device);
}

int cuCtxSetCurrent(void *context) {
  current = context;
  return call("cuCtxSetCurrent", " 0x%zx", (size_t) context);
}

/* As call, for what needs a context: CUDA_ERROR_INVALID_CONTEXT where the thread has none. */
#define call(...) (retained > 0 && current ? call(__VA_ARGS__) : 201)

int cuGetErrorName(int code, const char **name) {
  *name = "FAKE_ERROR";
  return code == 12345 ? 1 : 0;
}

int cuGetErrorString(int code, const char **text) {
  *text = "fails as asked";
  return code == 12345 ? 1 : 0;
}

/* ---- memory ---- */

int cuMemGetInfo_v2(size_t *available, size_t *total) {
  *available = 4000000000ul;
  *total = 5000000000ul;
  return call("cuMemGetInfo", "");
}

int cuMemAlloc_v2(address *memory, size_t bytes) {
  *memory = (address) (size_t) calloc(bytes, 1);
  return call("cuMemAlloc", " %zu", bytes);
}

int cuMemFree_v2(address memory) {
  free((void *) (size_t) memory);
  return call("cuMemFree", " 0x%llx", memory);
}

int cuMemAllocHost_v2(void **memory, size_t bytes) {
  *memory = calloc(bytes, 1);
  return call("cuMemAllocHost", " %zu", bytes);
}

int cuMemFreeHost(void *memory) {
  int code = call("cuMemFreeHost", " 0x%zx", (size_t) memory);
  free(memory);
  return code;
}

int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *stream) {
  nodes += capturing;
  if (!capturing) memcpy((void *) (size_t) to, from, bytes);
  return call(
      "cuMemcpyHtoDAsync", " 0x%llx 0x%zx %zu 0x%zx", to, (size_t) from, bytes, (size_t) stream);
}

int cuMemcpyDtoHAsync_v2(void *to, address from, size_t bytes, void *stream) {
  nodes += capturing;
  if (!capturing) memcpy(to, (void *) (size_t) from, bytes);
  return call(
      "cuMemcpyDtoHAsync", " 0x%zx 0x%llx %zu 0x%zx", (size_t) to, from, bytes, (size_t) stream);
}

int cuMemsetD8Async(address to, unsigned char value, size_t bytes, void *stream) {
  nodes += capturing;
  if (!capturing) memset((void *) (size_t) to, value, bytes);
  return call("cuMemsetD8Async", " 0x%llx %u %zu 0x%zx", to, value, bytes, (size_t) stream);
}

/* ---- streams and events ---- */

int cuStreamCreate(void **stream, unsigned flags) {
  *stream = handle();
  return call("cuStreamCreate", " %u", flags);
}

int cuStreamDestroy_v2(void *stream) {
  return call("cuStreamDestroy", " 0x%zx", (size_t) stream);
}

int cuStreamSynchronize(void *stream) {
  return call("cuStreamSynchronize", " 0x%zx", (size_t) stream);
}

int cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
  return call("cuStreamWaitEvent", " 0x%zx 0x%zx %u", (size_t) stream, (size_t) event, flags);
}

int cuEventCreate(void **event, unsigned flags) {
  *event = handle();
  return call("cuEventCreate", " %u", flags);
}

int cuEventDestroy_v2(void *event) { return call("cuEventDestroy", " 0x%zx", (size_t) event); }

int cuEventRecord(void *event, void *stream) {
  return call("cuEventRecord", " 0x%zx 0x%zx", (size_t) event, (size_t) stream);
}

int cuEventSynchronize(void *event) {
  return call("cuEventSynchronize", " 0x%zx", (size_t) event);
}

/* ---- kernels ---- */

int cuModuleLoadDataEx(
    void **module, const char *image, unsigned count, const int *options, void **values) {
  int code = call("cuModuleLoadDataEx", " %s %u", image, count);
  size_t size = 0;
  for (unsigned i = 0; i < count; i++) {
    if (options[i] == 6) size = (size_t) values[i]; /* CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES */
  }
  for (unsigned i = 0; i < count; i++) {
    if (code && options[i] == 5) { /* CU_JIT_ERROR_LOG_BUFFER */
      snprintf(values[i], size, "ptxas application ptx input, line 7; error: fake\nsecond line\n");
    }
  }
  *module = code ? NULL : handle();
  return code;
}

int cuModuleUnload(void *module) { return call("cuModuleUnload", " 0x%zx", (size_t) module); }

int cuModuleGetFunction(void **function, void *module, const char *name) {
  *function = handle();
  return call("cuModuleGetFunction", " 0x%zx %s", (size_t) module, name);
}

/*
 * Writes the bits of a launch's parameters, eight bytes each; the setting "parameters" says how
 * many there are.
 */
static char *bits_of(void **parameters) {
  static char bits[64 * 18 + 1];
  bits[0] = 0;
  for (long i = 0; i < setting("parameters", 0) && i < 64; i++) {
    unsigned long long value;
    memcpy(&value, parameters[i], sizeof value);
    sprintf(bits + strlen(bits), " %llx", value);
  }
  return bits;
}

int cuLaunchKernel(
    void *function,
    unsigned gridX,
    unsigned gridY,
    unsigned gridZ,
    unsigned blockX,
    unsigned blockY,
    unsigned blockZ,
    unsigned sharedBytes,
    void *stream,
    void **parameters,
    void **extra) {
  nodes += capturing;
  return call(
      "cuLaunchKernel",
      " 0x%zx %u %u %u %u %u %u %u 0x%zx 0x%zx:%s",
      (size_t) function,
      gridX,
      gridY,
      gridZ,
      blockX,
      blockY,
      blockZ,
      sharedBytes,
      (size_t) stream,
      (size_t) extra,
      bits_of(parameters));
}

int cuLaunchCooperativeKernel(
    void *function,
    unsigned gridX,
    unsigned gridY,
    unsigned gridZ,
    unsigned blockX,
    unsigned blockY,
    unsigned blockZ,
    unsigned sharedBytes,
    void *stream,
    void **parameters) {
  nodes += capturing;
  return call(
      "cuLaunchCooperativeKernel",
      " 0x%zx %u %u %u %u %u %u %u 0x%zx:%s",
      (size_t) function,
      gridX,
      gridY,
      gridZ,
      blockX,
      blockY,
      blockZ,
      sharedBytes,
      (size_t) stream,
      bits_of(parameters));
}

int cuFuncSetAttribute(void *function, int attribute, int value) {
  return call("cuFuncSetAttribute", " 0x%zx %d %d", (size_t) function, attribute, value);
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(
    int *blocks, void *function, int threads, size_t sharedBytes) {
  *blocks = (int) setting("resident", 2);
  return call(
      "cuOccupancyMaxActiveBlocksPerMultiprocessor",
      " 0x%zx %d %zu",
      (size_t) function,
      threads,
      sharedBytes);
}

/* ---- graphs ---- */

int cuStreamBeginCapture_v2(void *stream, int mode) {
  capturing = 1;
  nodes = 0;
  return call("cuStreamBeginCapture", " 0x%zx %d", (size_t) stream, mode);
}

int cuStreamEndCapture(void *stream, void **graph) {
  capturing = 0;
  *graph = handle();
  return call("cuStreamEndCapture", " 0x%zx", (size_t) stream);
}

int cuGraphGetNodes(void *graph, void **list, size_t *count) {
  *count = (size_t) nodes;
  return call("cuGraphGetNodes", " 0x%zx 0x%zx", (size_t) graph, (size_t) list);
}

int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) {
  *executable = handle();
  return call("cuGraphInstantiate", " 0x%zx %llu", (size_t) graph, flags);
}

int cuGraphDestroy(void *graph) { return call("cuGraphDestroy", " 0x%zx", (size_t) graph); }

int cuGraphLaunch(void *executable, void *stream) {
  return call("cuGraphLaunch", " 0x%zx 0x%zx", (size_t) executable, (size_t) stream);
}

int cuGraphExecDestroy(void *executable) {
  return call("cuGraphExecDestroy", " 0x%zx", (size_t) executable);
}
