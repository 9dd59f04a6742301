// The kernel's hashes over AF_ALG, if it has them.
#include "../../lab.h"
#include <linux/if_alg.h>

BEHAVIOUR {
  struct sockaddr_alg hash = {.salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha256"};
  const int fd = TRY(socket(AF_ALG, SOCK_SEQPACKET, 0));
  if (fd < 0 || TRY(bind(fd, (void *)&hash, sizeof hash))) return;
  const int op = TRY(accept(fd, NULL, NULL));
  unsigned char digest[32] = "";
  DO(send(op, "ab", 2, MSG_MORE));
  DO(send(op, "c", 1, 0));
  DO(read(op, digest, 32));
  SAY("%02x%02x%02x..%02x", digest[0], digest[1], digest[2], digest[31]);
  strcpy((char *)hash.salg_name, "no-such-hash");
  DO(bind(socket(AF_ALG, SOCK_SEQPACKET, 0), (void *)&hash, sizeof hash));
}
