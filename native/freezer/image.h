// A frozen process on disk: what its node sent of it (stub/wire.h, "A move"), compressed as an LZ4 frame with a checksum for each block, which lz4(1) reads.
#pragma once
#include <lz4frame.h>
#include <stddef.h>

namespace mosrun {

// Bytes in order; 0 or -errno.
class Source {
 public:
  virtual int read(void *data, size_t size) = 0;

 protected:
  ~Source() = default;
};
class Sink {
 public:
  virtual int write(const void *data, size_t size) = 0;

 protected:
  ~Sink() = default;
};

class ImageWriter final : public Sink {
 public:
  explicit ImageWriter(int file) : file_(file) {}
  ~ImageWriter();
  ImageWriter(const ImageWriter &) = delete;
  ImageWriter &operator=(const ImageWriter &) = delete;
  int begin();
  int write(const void *data, size_t size) override;
  int finish();                    // it is on the disk then

 private:
  int store(size_t size);
  int file_;
  LZ4F_cctx *context_ = nullptr;
  char *out_ = nullptr;
  size_t room_ = 0;
};

class ImageReader final : public Source {
 public:
  explicit ImageReader(int file) : file_(file) {}
  ~ImageReader();
  ImageReader(const ImageReader &) = delete;
  ImageReader &operator=(const ImageReader &) = delete;
  int begin();                     // from the first byte
  int read(void *data, size_t size) override;   // -EIO: it is not what was written

 private:
  int file_;
  LZ4F_dctx *context_ = nullptr;
  char *in_ = nullptr;
  size_t at_ = 0, have_ = 0;
};

}  // namespace mosrun
