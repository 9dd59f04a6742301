// Two ends of a channel, and what passes between them: `plain`, a unix socket of this node, and `wire`, a TCP connection that TLS is spoken on.
#pragma once
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

namespace mosrun {

// What one side gave and the other did not take yet. Nothing more is read meanwhile, so it stays small, and whoever sends feels it.
struct Leftover {
  char *bytes = nullptr;
  size_t size = 0, done = 0;

  ~Leftover();
  bool empty() const { return size == done; }
  bool keep(const char *data, size_t count);
  void take(size_t count);
};

struct Relay {
  int plain = -1, wire = -1;
  SSL *ssl = nullptr;
  bool plain_hung = false;     // its peer will say no more: what is there is to be read to the end

  enum class After { wait, again, over };   // again: there may be more; others have their turn first

  Relay() = default;
  Relay(const Relay &) = delete;
  Relay &operator=(const Relay &) = delete;
  ~Relay();                    // closes all

  bool begin_with(const void *data, size_t size) { return up_.keep(static_cast<const char *>(data), size); }   // to the wire, before all else
  // Moves what can be moved, both ways, without waiting.
  After pump();
  bool plain_is_full() const { return !down_.empty(); }

 private:
  bool pump_up();
  bool pump_down();
  size_t write_wire(const char *data, size_t size);
  void write_plain(const char *data, size_t size);
  void end_up();
  void count(size_t sent);

  Leftover up_, down_;
  bool plain_ended_ = false, up_over_ = false;
  bool wire_ended_ = false, wire_failed_ = false, down_over_ = false;
  uint64_t bytes_ = 0, records_ = 0;   // under the present key
};

}  // namespace mosrun
