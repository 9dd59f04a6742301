// What this process has of memory and does not need.
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "addon.h"

namespace mosrun::addon {

namespace {

// Of code and constants most is needed once, at the start: pages that are needed again come back from the page cache by themselves. Only what is never
// written to is what the file holds; the rest has been relocated.
int drop_pages(dl_phdr_info *object, size_t, void *) {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) &segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || segment.p_flags & PF_W) continue;
    const uintptr_t start = object->dlpi_addr + segment.p_vaddr;
    const uintptr_t from = (start + page - 1) & ~(page - 1), to = (start + segment.p_filesz) & ~(page - 1);
    if (from < to) madvise(reinterpret_cast<void *>(from), to - from, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

Napi::Value Trim(const Napi::CallbackInfo &info) {
  malloc_trim(0);
  dl_iterate_phdr(drop_pages, nullptr);
  return info.Env().Undefined();
}

}  // namespace mosrun::addon
