// Guest: pages of system files that this node keeps, in memory that all processes of one user of one home share, so that the second program to come
// has its libraries from here.
//
// Whoever shares it may write anything to it: a process is as safe from it as from its user's other processes at home. A file is known by what home
// says of it (FileIdentity, home-pages.cc), never by a name.
#pragma once
#include "stub.h"

namespace mosrun {

constexpr u64 kBlockPages = kCacheBlock / kPage;

// The pages around `page`, of [start, end) of the mapping, that are here: their bytes go to `to`, and [from, until) is where they belong.
bool cached(const Mapping &m, u64 page, u64 start, u64 end, uint8_t *to, u64 &from, u64 &until);
bool is_cached(const Mapping &m, u64 page);
// What home has sent of the mapping: whole pages, within one block of the file.
void keep(const Mapping &m, u64 start, u64 length, const uint8_t *bytes);

// Where the block of the file begins that the page is in; without a file of its own, of the address space. May lie before the mapping.
inline u64 block_start(const Mapping &m, u64 page) {
  return m.object ? page - ((page - m.start) + m.at * kPage) % kCacheBlock : align_down(page, kCacheBlock);
}
inline bool same(const FileIdentity &a, const FileIdentity &b) {
  return a.device == b.device && a.number == b.number && a.size == b.size && a.changed == b.changed && a.changed_ns == b.changed_ns;
}
// The number of a file that home has told of; 0: there is no room for another.
u32 know_file(const FileIdentity &);

}  // namespace mosrun
