/* Lets User-Mode Linux of Debian 12 run on processors with AMX.  To be preloaded.
 *
 * It keeps 2696 octets of extended state for a process, as AVX-512 needs, and sets them by PTRACE_SETREGSET.
 * Linux wants all that the processor has, 11008 octets with AMX, and says EFAULT for less, so that no process
 * gets as far as its first instruction.  Here the rest is put behind, as it was. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef long ptrace_function(enum __ptrace_request, ...);

long ptrace(enum __ptrace_request request, ...) {
  static ptrace_function* real;
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "ptrace");

  va_list arguments;
  va_start(arguments, request);
  const pid_t pid = va_arg(arguments, pid_t);
  void* const address = va_arg(arguments, void*);
  void* const data = va_arg(arguments, void*);
  va_end(arguments);

  const long result = real(request, pid, address, data);
  if (result != -1 || errno != EFAULT || request != PTRACE_SETREGSET || (uintptr_t)address != NT_X86_XSTATE) {
    return result;
  }
  static _Alignas(64) uint8_t whole[65536]; /* It has one thread. */
  struct iovec all = {.iov_base = whole, .iov_len = sizeof whole};
  if (real(PTRACE_GETREGSET, pid, address, &all) == -1) return -1;
  const struct iovec* given = data;
  memcpy(whole, given->iov_base, given->iov_len < all.iov_len ? given->iov_len : all.iov_len);
  return real(PTRACE_SETREGSET, pid, address, &all);
}
