#include "tls.h"

#include <openssl/err.h>
#include <string.h>

namespace mosrun {

namespace {

SSL_CTX *in = nullptr, *out = nullptr;
FindKey find_key;

// A session that never was, whose only content is the key (SSL_CTX_set_psk_use_session_callback(3)).
SSL_SESSION *session_of(SSL *ssl, const uint8_t (&key)[kSealKeySize]) {
  static const unsigned char kAes128GcmSha256[] = {0x13, 0x01};
  const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, kAes128GcmSha256);
  SSL_SESSION *session = cipher ? SSL_SESSION_new() : nullptr;
  if (!session) return nullptr;
  if (SSL_SESSION_set1_master_key(session, key, sizeof key) && SSL_SESSION_set_cipher(session, cipher) && SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION)) return session;
  SSL_SESSION_free(session);
  return nullptr;
}

int offer_key(SSL *ssl, const EVP_MD *, const unsigned char **identity, size_t *size, SSL_SESSION **session) {
  auto *secret = static_cast<const Secret *>(SSL_get_app_data(ssl));
  *identity = reinterpret_cast<const unsigned char *>(&secret->identity);
  *size = sizeof secret->identity;
  *session = session_of(ssl, secret->key);
  return *session != nullptr;
}

int accept_key(SSL *ssl, const unsigned char *bytes, size_t size, SSL_SESSION **session) {
  *session = nullptr;   // with 1: go on without, which fails for want of a certificate
  Identity identity;
  if (size != sizeof identity) return 1;
  memcpy(&identity, bytes, sizeof identity);
  const Secret *secret = find_key(identity);
  if (!secret) return 1;
  *session = session_of(ssl, secret->key);
  *static_cast<Identity *>(SSL_get_app_data(ssl)) = identity;
  return *session != nullptr;
}

SSL_CTX *context(const SSL_METHOD *method) {
  SSL_CTX *made = SSL_CTX_new(method);
  if (!made) return nullptr;
  SSL_CTX_set_options(made, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(made, 1);
  SSL_CTX_set_default_read_buffer_len(made, 64 << 10);
  // No key is used without (EC)DHE (SSL_OP_ALLOW_NO_DHE_KEX is off): who learns a token later reads nothing of before.
  bool good = SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) && SSL_CTX_set_ciphersuites(made, "TLS_AES_128_GCM_SHA256") &&
              SSL_CTX_set1_groups_list(made, "X25519") && SSL_CTX_set_num_tickets(made, 0);
  if (good) return made;
  SSL_CTX_free(made);
  return nullptr;
}

SSL *sealed(SSL_CTX *by, int fd, void *data) {
  SSL *ssl = SSL_new(by);
  if (!ssl) return nullptr;
  SSL_set_app_data(ssl, static_cast<char *>(data));
  if (SSL_set_fd(ssl, fd)) return ssl;
  SSL_free(ssl);
  return nullptr;
}

}  // namespace

bool start_tls(FindKey find) {
  find_key = find;
  // No configuration file: what is spoken is settled above, and files cannot be opened any more when the first connection comes.
  if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr)) return false;
  in = context(TLS_server_method());
  out = context(TLS_client_method());
  if (!in || !out) return false;
  SSL_CTX_set_verify(out, SSL_VERIFY_PEER, nullptr);   // who has no key could offer a certificate instead: none is trusted
  SSL_CTX_set_psk_find_session_callback(in, accept_key);
  SSL_CTX_set_psk_use_session_callback(out, offer_key);
  return true;
}

SSL *sealed_in(int fd, Identity *told) {
  SSL *ssl = sealed(in, fd, told);
  if (ssl) SSL_set_accept_state(ssl);
  return ssl;
}

SSL *sealed_out(int fd, const Secret *secret) {
  SSL *ssl = sealed(out, fd, const_cast<Secret *>(secret));
  if (ssl) SSL_set_connect_state(ssl);
  return ssl;
}

Shaken shake_hands(SSL *ssl) {
  ERR_clear_error();
  int result = SSL_do_handshake(ssl);
  if (result == 1) return SSL_session_reused(ssl) ? Shaken::yes : Shaken::no;   // by the key, and by nothing else
  int error = SSL_get_error(ssl, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Shaken::not_yet : Shaken::no;
}

}  // namespace mosrun
