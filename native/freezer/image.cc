#include "freezer/image.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

namespace mosrun {

namespace {

constexpr size_t kPart = 256 << 10;    // of what is written or read at a time, and of a block

LZ4F_preferences_t preferences() {
  LZ4F_preferences_t p{};
  p.frameInfo.blockSizeID = LZ4F_max256KB;
  p.frameInfo.blockMode = LZ4F_blockIndependent;
  p.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
  p.autoFlush = 1;                     // no copy of what has come, but for the part of a block
  return p;
}

}  // namespace

ImageWriter::~ImageWriter() {
  LZ4F_freeCompressionContext(context_);
  free(out_);
}

int ImageWriter::store(size_t size) {
  if (LZ4F_isError(size)) return -EIO;
  for (size_t at = 0; at < size;) {
    ssize_t n = ::write(file_, out_ + at, size - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : -ENOSPC;
    at += static_cast<size_t>(n);
  }
  return 0;
}

int ImageWriter::begin() {
  const LZ4F_preferences_t p = preferences();
  room_ = LZ4F_compressBound(kPart, &p) + LZ4F_HEADER_SIZE_MAX;
  out_ = static_cast<char *>(malloc(room_));
  if (!out_ || LZ4F_isError(LZ4F_createCompressionContext(&context_, LZ4F_VERSION))) return -ENOMEM;
  return store(LZ4F_compressBegin(context_, out_, room_, &p));
}

int ImageWriter::write(const void *data, size_t size) {
  for (auto *from = static_cast<const char *>(data); size;) {
    size_t part = size < kPart ? size : kPart;
    if (int error = store(LZ4F_compressUpdate(context_, out_, room_, from, part, nullptr))) return error;
    from += part;
    size -= part;
  }
  return 0;
}

int ImageWriter::finish() {
  if (int error = store(LZ4F_compressEnd(context_, out_, room_, nullptr))) return error;
  return fdatasync(file_) < 0 ? -errno : 0;
}

ImageReader::~ImageReader() {
  LZ4F_freeDecompressionContext(context_);
  free(in_);
}

int ImageReader::begin() {
  in_ = static_cast<char *>(malloc(kPart));
  if (!in_ || LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION))) return -ENOMEM;
  return lseek(file_, 0, SEEK_SET) < 0 ? -errno : 0;
}

int ImageReader::read(void *data, size_t size) {
  for (auto *to = static_cast<char *>(data); size;) {
    size_t out = size, in = have_ - at_;
    if (LZ4F_isError(LZ4F_decompress(context_, to, &out, in_ + at_, &in, nullptr))) return -EIO;
    at_ += in;
    to += out;
    size -= out;
    if (out || in || at_ < have_) continue;
    ssize_t n = ::read(file_, in_, kPart);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : -EIO;
    at_ = 0;
    have_ = static_cast<size_t>(n);
  }
  return 0;
}

}  // namespace mosrun
