// The entry points of the distortion of images: module distort.ptx. mlpcuda.compute.cuda.DistortionKernels launches them
// with these parameters in this order.
#include "distort.cuh"

// Three blocks on each multiprocessor: while one waits at a barrier or for memory, others compute. With four, threads
// would have too few registers for the loads that are under way together.
#define ENTRY(name) extern "C" __global__ void __launch_bounds__(op::DISTORT_THREADS, 3) name

#define IMAGES (op::DistortedImages{x, images, numbers, staged, {rows, cols, channels}})

ENTRY(distort_across)(float2 *across, const float2 *noise, int lines, int cols,
                      const __grid_constant__ op::Distorting distorting) {
  op::distort_across(across, noise, lines, cols, distorting);
}

ENTRY(distort_images)(float *x, const unsigned char *images, const int *numbers, int staged, int rows,
                      int cols, int channels, const __grid_constant__ op::Distorting distorting,
                      const float2 *across, int blocks) {
  op::distort_images(IMAGES, across, blocks, distorting);
}

ENTRY(distort_noise)(float2 *noise, const int *numbers, int n, int rows, int cols,
                     const __grid_constant__ op::Distorting distorting) {
  op::distort_noise(noise, numbers, n, {rows, cols, 1}, distorting);
}

ENTRY(distort_small)(float *x, const unsigned char *images, const int *numbers, int staged, int rows,
                     int cols, int channels, const __grid_constant__ op::Distorting distorting) {
  op::distort_small(IMAGES, distorting);
}
