/*
 * What the fake libraries share. FAKE_CUDA_LOG names the file that takes a line for each call: the
 * function's name and its arguments, pointers and handles in hexadecimal. FAKE_CUDA_CONTROL names
 * a file of lines "key value", read at each call: a function's name with the code that it is to
 * return, or a setting.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long setting(const char *key, long otherwise) {
  const char *path = getenv("FAKE_CUDA_CONTROL");
  FILE *file = path ? fopen(path, "r") : NULL;
  if (!file) return otherwise;
  char name[64];
  long value;
  while (fscanf(file, "%63s %ld", name, &value) == 2) {
    if (strcmp(name, key) == 0) otherwise = value;
  }
  fclose(file);
  return otherwise;
}

/* Writes the line; returns the code that the function of that name is to return. */
static int call(const char *name, const char *format, ...) {
  const char *path = getenv("FAKE_CUDA_LOG");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (file) {
    fprintf(file, "%s", name);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fprintf(file, "\n");
    fclose(file);
  }
  return (int) setting(name, 0);
}
