/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/format/pack_crypt.c - encryption of packs, all of it libsodium's.
 *
 * A random data key per pack, wrapped (XChaCha20-Poly1305) with a key made from the passphrase
 * (argon2id) or from the key file (keyed BLAKE2b).  Each part is one secretstream message with the
 * FINAL tag, bound by its associated data to the pack's id, the format's version and its number.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "format/pack_internal.h"

enum { KEY_SIZE = 32, KEPT_KEYS = 16, AD_SIZE = BO_UUID_SIZE + 2 + 8 };

_Static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == KEY_SIZE, "one size of key");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == KEY_SIZE, "one size of key");

bo_kdf_cost bo_kdf_cost_written = {BO_KDF_OPERATIONS_MAX, BO_KDF_MEMORY_MAX};

/* ---- keys that were made already ---- */

struct bo_pack_derived {
    pthread_mutex_t mutex;
    uint8_t own_salt[BO_SALT_SIZE]; /* of the packs that are written */
    unsigned count;                 /* the last KEPT_KEYS of them are kept */
    struct {
        uint8_t kdf[BO_KDF_SIZE], key[KEY_SIZE];
    } kept[KEPT_KEYS];
};

bo_pack_derived *bo_pack_derived_create(void)
{
    bo_pack_derived *self = sodium_init() < 0 ? NULL : calloc(1, sizeof *self);
    if (!self)
        return NULL;
    (void)pthread_mutex_init(&self->mutex, NULL);
    randombytes_buf(self->own_salt, sizeof self->own_salt);
    return self;
}

void bo_pack_derived_free(bo_pack_derived *self)
{
    if (!self)
        return;
    (void)pthread_mutex_destroy(&self->mutex);
    sodium_memzero(self, sizeof *self);
    free(self);
}

unsigned bo_pack_derived_count(const bo_pack_derived *self)
{
    return self->count;
}

static bool find_kept(const bo_pack_derived *self, const uint8_t *kdf, uint8_t out[KEY_SIZE])
{
    const unsigned kept = self->count < KEPT_KEYS ? self->count : KEPT_KEYS;
    for (unsigned i = 0; i < kept; i++) {
        if (memcmp(self->kept[i].kdf, kdf, BO_KDF_SIZE) == 0) {
            memcpy(out, self->kept[i].key, KEY_SIZE);
            return true;
        }
    }
    return false;
}

static void keep(bo_pack_derived *self, const uint8_t *kdf, const uint8_t key[KEY_SIZE])
{
    const unsigned at = self->count++ % KEPT_KEYS;
    memcpy(self->kept[at].kdf, kdf, BO_KDF_SIZE);
    memcpy(self->kept[at].key, key, KEY_SIZE);
}

/* ---- the key that wraps the data key ---- */

/* `kdf` is salt, operations and memory as in the header. */
static bo_status derive_slowly(
    const bo_pack_key *key, const uint8_t *kdf, uint8_t out[KEY_SIZE], bo_error *err)
{
    uint32_t operations = bo_get_u32(kdf + BO_SALT_SIZE);
    uint64_t memory = bo_get_u64(kdf + BO_SALT_SIZE + 4);
    if (operations > BO_KDF_OPERATIONS_MAX || memory > BO_KDF_MEMORY_MAX ||
        operations < crypto_pwhash_OPSLIMIT_MIN || memory < crypto_pwhash_MEMLIMIT_MIN)
        return bo_fail(err, BO_CORRUPT, "header: the cost of the passphrase is out of bounds");
    if (crypto_pwhash(out, KEY_SIZE, key->passphrase, strlen(key->passphrase), kdf, operations,
            (size_t)memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return bo_nomem(err);
    return BO_OK;
}

static bo_status derive(
    const bo_pack_key *key, const uint8_t *kdf, uint8_t out[KEY_SIZE], bo_error *err)
{
    if (key->kind == BO_KEY_BYTES) {
        (void)crypto_generichash(out, KEY_SIZE, kdf, BO_SALT_SIZE, key->bytes, sizeof key->bytes);
        return BO_OK;
    }
    if (!key->derived)
        return derive_slowly(key, kdf, out, err);
    (void)pthread_mutex_lock(&key->derived->mutex);
    bo_status st = BO_OK;
    if (!find_kept(key->derived, kdf, out)) {
        st = derive_slowly(key, kdf, out, err);
        if (st == BO_OK)
            keep(key->derived, kdf, out);
    }
    (void)pthread_mutex_unlock(&key->derived->mutex);
    return st;
}

bo_status bo_pack_lock_create(
    const bo_pack_key *key, bo_buf *header, bo_pack_lock *out, bo_error *err)
{
    if (key->kind == BO_KEY_PASSPHRASE && key->passphrase[0] == 0)
        return bo_fail(err, BO_INVALID, "the passphrase is empty");
    uint8_t salt[BO_SALT_SIZE];
    uint8_t nonce[BO_WRAP_NONCE_SIZE];
    randombytes_buf(salt, sizeof salt);
    randombytes_buf(nonce, sizeof nonce);
    bool slow = key->kind == BO_KEY_PASSPHRASE;
    if (slow && key->derived)
        memcpy(salt, key->derived->own_salt, sizeof salt);
    bo_buf_add(header, salt, sizeof salt);
    bo_buf_add_u32(header, slow ? bo_kdf_cost_written.operations : 0);
    bo_buf_add_u64(header, slow ? bo_kdf_cost_written.memory_bytes : 0);
    if (header->failed)
        return bo_nomem(err);

    uint8_t wrapping[KEY_SIZE];
    size_t bound = BO_SKIP_SIZE + BO_PREFIX_SIZE; /* authenticated with it: all so far */
    bo_status st = derive(key, header->data + bound, wrapping, err);
    if (st == BO_OK) {
        uint8_t wrapped[BO_WRAPPED_SIZE];
        crypto_secretstream_xchacha20poly1305_keygen(out->key);
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped, NULL, out->key, KEY_SIZE,
            header->data + BO_SKIP_SIZE, header->size - BO_SKIP_SIZE, NULL, nonce, wrapping);
        bo_buf_add(header, nonce, sizeof nonce);
        bo_buf_add(header, wrapped, sizeof wrapped);
        out->on = true;
    }
    sodium_memzero(wrapping, sizeof wrapping);
    return st;
}

bo_status bo_pack_lock_open(
    const bo_pack_key *key, const uint8_t *header, bo_pack_lock *out, bo_error *err)
{
    unsigned kind = header[BO_SKIP_SIZE + BO_MAGIC_SIZE + 3];
    if (!key || key->kind == BO_KEY_NONE)
        return bo_fail(err, BO_DENIED, "it is encrypted, and no key was given");
    if (kind != (unsigned)key->kind)
        return bo_fail(err, BO_DENIED, "it is encrypted with a %s",
            kind == BO_KEY_PASSPHRASE ? "passphrase" : "key file");

    uint8_t wrapping[KEY_SIZE];
    const uint8_t *kdf = header + BO_SKIP_SIZE + BO_PREFIX_SIZE;
    bo_status st = derive(key, kdf, wrapping, err);
    if (st != BO_OK)
        return st;
    const uint8_t *nonce = kdf + BO_KDF_SIZE;
    int refused =
        crypto_aead_xchacha20poly1305_ietf_decrypt(out->key, NULL, NULL, nonce + BO_WRAP_NONCE_SIZE,
            BO_WRAPPED_SIZE, header + BO_SKIP_SIZE, BO_PREFIX_SIZE + BO_KDF_SIZE, nonce, wrapping);
    sodium_memzero(wrapping, sizeof wrapping);
    if (refused)
        return bo_fail(err, BO_DENIED, "the %s does not open it",
            kind == BO_KEY_PASSPHRASE ? "passphrase" : "key");
    out->on = true;
    return BO_OK;
}

static void bind(const bo_pack_lock *lock, uint64_t part, uint8_t ad[AD_SIZE])
{
    memcpy(ad, lock->uuid, BO_UUID_SIZE);
    ad[BO_UUID_SIZE] = BO_PACK_VERSION >> 8;
    ad[BO_UUID_SIZE + 1] = BO_PACK_VERSION & 0xff;
    bo_put_u64(ad + BO_UUID_SIZE + 2, part);
}

bo_status bo_pack_seal(
    const bo_pack_lock *lock, uint64_t part, bo_span plain, bo_buf *out, bo_error *err)
{
    if (!lock->on) {
        bo_buf_add(out, plain.data, plain.size);
        return bo_buf_check(out, err);
    }
    if (!bo_buf_reserve(out, plain.size + BO_SEAL_OVERHEAD))
        return bo_nomem(err);
    uint8_t ad[AD_SIZE];
    bind(lock, part, ad);
    uint8_t *at = out->data + out->size;
    crypto_secretstream_xchacha20poly1305_state state;
    (void)crypto_secretstream_xchacha20poly1305_init_push(&state, at, lock->key);
    (void)crypto_secretstream_xchacha20poly1305_push(&state,
        at + crypto_secretstream_xchacha20poly1305_HEADERBYTES, NULL, plain.data, plain.size, ad,
        sizeof ad, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
    sodium_memzero(&state, sizeof state);
    out->size += plain.size + BO_SEAL_OVERHEAD;
    return BO_OK;
}

bo_status bo_pack_unseal(
    const bo_pack_lock *lock, uint64_t part, bo_span sealed, bo_buf *plain, bo_error *err)
{
    if (!lock->on) {
        bo_buf_clear(plain);
        bo_buf_add(plain, sealed.data, sealed.size);
        return bo_buf_check(plain, err);
    }
    if (sealed.size < BO_SEAL_OVERHEAD)
        return bo_fail(err, BO_CORRUPT, "too short to be encrypted");
    if (!bo_buf_resize(plain, sealed.size - BO_SEAL_OVERHEAD))
        return bo_nomem(err);

    uint8_t ad[AD_SIZE];
    bind(lock, part, ad);
    size_t lead = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
    unsigned char tag = 0;
    crypto_secretstream_xchacha20poly1305_state state;
    int refused =
        crypto_secretstream_xchacha20poly1305_init_pull(&state, sealed.data, lock->key) != 0 ||
        crypto_secretstream_xchacha20poly1305_pull(&state, plain->data, NULL, &tag,
            sealed.data + lead, sealed.size - lead, ad, sizeof ad) != 0 ||
        tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    sodium_memzero(&state, sizeof state);
    if (refused) {
        bo_buf_clear(plain);
        return bo_fail(err, BO_CORRUPT, "it was not encrypted like this with this key");
    }
    return BO_OK;
}
