// The entry points of the distortion of images: module distort.ptx. mlpcuda.compute.cuda.DistortionKernels launches
// them with these parameters in this order.
#include "distort.cuh"

// `blocks` are on a multiprocessor at least: while one waits at a barrier or for memory, others compute. More of them
// would leave a thread too few registers for the loads that are under way together.
#define ENTRY(name, blocks) extern "C" __global__ void __launch_bounds__(op::DISTORT_THREADS, blocks) name

#define IMAGES (op::DistortedImages{x, images, numbers, staged, {rows, cols, channels}})

ENTRY(distort_across, 4)(float2 *across, const float2 *noise, int lines, int cols,
                         const __grid_constant__ op::Distorting distorting) {
  op::distort_across(across, noise, lines, cols, distorting);
}

ENTRY(distort_images, 3)(float *x, const unsigned char *images, const int *numbers, int staged, int rows, int cols,
                         int channels, const __grid_constant__ op::Distorting distorting, const float2 *across,
                         int blocks) {
  op::distort_images(IMAGES, across, blocks, distorting);
}

ENTRY(distort_noise, 4)(float2 *noise, const int *numbers, int n, int rows, int cols,
                        const __grid_constant__ op::Distorting distorting) {
  op::distort_noise(noise, numbers, n, {rows, cols, 1}, distorting);
}

ENTRY(distort_small, 4)(float *x, const unsigned char *images, const int *numbers, int staged, int rows, int cols,
                        int channels, const __grid_constant__ op::Distorting distorting) {
  op::distort_small(IMAGES, distorting);
}
