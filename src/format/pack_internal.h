/* SPDX-License-Identifier: Apache-2.0 */
/* src/format/pack_internal.h - what the files of the pack share; see docs/design/pack-format.md. */
#ifndef BO_FORMAT_PACK_INTERNAL_H
#define BO_FORMAT_PACK_INTERNAL_H

#include <pthread.h>
#include <sodium.h>

#include "base/buf.h"
#include "format/pack.h"

/* ---- layout ---- */

/* Everything but a plain frame of rows is a zstd skippable frame: magic and size, little endian. */
enum {
    BO_SKIP_HEADER = 0, /* low digit of the magic */
    BO_SKIP_SEALED = 1, /* an encrypted frame of rows */
    BO_SKIP_PADDING = 2,
    BO_SKIP_INDEX = 0xE,
    BO_SKIP_TRAILER = 0xF,
    BO_SKIP_SIZE = 8,
};
#define BO_SKIP_MAGIC 0x184D2A50u

#define BO_PACK_MAGIC "backout\n"
#define BO_PACK_END   "backout."

enum {
    BO_MAGIC_SIZE = 8,
    BO_UUID_SIZE = 16,
    BO_ROOT_SIZE = 32,
    BO_PREFIX_SIZE = BO_MAGIC_SIZE + 2 + 1 + 1 + BO_UUID_SIZE, /* version, kind, key kind */
    BO_SALT_SIZE = crypto_pwhash_SALTBYTES,
    BO_KDF_SIZE = BO_SALT_SIZE + 4 + 8, /* operations, memory */
    BO_WRAP_NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    BO_WRAPPED_SIZE = 32 + crypto_aead_xchacha20poly1305_ietf_ABYTES,
    BO_LOCK_SIZE = BO_KDF_SIZE + BO_WRAP_NONCE_SIZE + BO_WRAPPED_SIZE,
    BO_SEAL_OVERHEAD = crypto_secretstream_xchacha20poly1305_HEADERBYTES +
                       crypto_secretstream_xchacha20poly1305_ABYTES,
    BO_FRAME_ENTRY_SIZE = 4 + 4 + 8 + 8 + 8 + 3 * 8 + 16,
    BO_TRAILER_SIZE = BO_SKIP_SIZE + BO_MAGIC_SIZE + 8 + 8 + BO_ROOT_SIZE,
};

/* First byte of a change in a changeset: which images follow. */
enum { BO_CHANGE_BEFORE = 1, BO_CHANGE_AFTER = 2 };

/* ---- limits, all checked before memory is asked for ---- */

#define BO_PACK_INDEX_MAX (1u << 30)
#define BO_RANGE_ID_MAX   1024u
#define BO_FRAME_FREE     (2u * BO_FRAME_TARGET) /* up to here only BO_RATIO_SMALL binds */
#define BO_RATIO_SMALL    1024u
#define BO_RATIO_LARGE    32u

/** The fewest bytes that may hold `raw` bytes of rows: a writer pads to it, a reader refuses less.
 */
static inline uint64_t bo_stored_least(uint64_t raw)
{
    return raw / (raw > BO_FRAME_FREE ? BO_RATIO_LARGE : BO_RATIO_SMALL);
}

void bo_skip_put(uint8_t at[BO_SKIP_SIZE], unsigned digit, uint32_t size);
/** The size of the skippable frame's content; false: there is another magic. */
bool bo_skip_get(const uint8_t at[BO_SKIP_SIZE], unsigned digit, uint32_t *size_out);
/** Empties `buf` and gives it `size` bytes to be filled; false: no memory. */
bool bo_buf_resize(bo_buf *buf, size_t size);

/** BLAKE2b-256 of the stored bytes of header and index. */
void bo_pack_root_of(bo_span header, bo_span index, uint8_t out[BO_ROOT_SIZE]);

/* ---- JSON ---- */

/** The text of `json` in `out`; BO_UNSUPPORTED if bo_pack_json_read() would refuse it. */
bo_status bo_pack_json_write(const json_t *json, const char *part, bo_buf *out, bo_error *err);
/** Bounds what parsing costs: few containers for the size of the text, no deep nesting. */
bo_status bo_pack_json_read(bo_span text, const char *part, json_t **out, bo_error *err);

/* ---- encryption ---- */

/** What argon2id may cost.  Tests lower what is written; what is read may never cost more. */
typedef struct bo_kdf_cost {
    uint32_t operations;
    uint64_t memory_bytes;
} bo_kdf_cost;
#define BO_KDF_OPERATIONS_MAX crypto_pwhash_OPSLIMIT_MODERATE
#define BO_KDF_MEMORY_MAX     crypto_pwhash_MEMLIMIT_MODERATE
extern bo_kdf_cost bo_kdf_cost_written;

/** The data key of one pack, and what binds its parts to it. */
typedef struct bo_pack_lock {
    bool on;
    uint8_t key[32];
    uint8_t uuid[BO_UUID_SIZE];
} bo_pack_lock;

/* Numbers of the parts that are not frames of rows. */
#define BO_PART_META  (UINT64_MAX - 1)
#define BO_PART_INDEX UINT64_MAX

/** Makes a data key and adds to `header`, which holds the prefix, the data key wrapped with `key`.
 */
bo_status bo_pack_lock_create(
    const bo_pack_key *key, bo_buf *header, bo_pack_lock *out, bo_error *err);
/** Unwraps the data key from `header` (the prefix and BO_LOCK_SIZE bytes after it). */
bo_status bo_pack_lock_open(
    const bo_pack_key *key, const uint8_t *header, bo_pack_lock *out, bo_error *err);

/** How many keys were made. */
unsigned bo_pack_derived_count(const bo_pack_derived *self);

/** Adds `plain` to `out`: as it is, or encrypted as part number `part`. */
bo_status bo_pack_seal(
    const bo_pack_lock *lock, uint64_t part, bo_span plain, bo_buf *out, bo_error *err);
/**
 * Decrypts part number `part` into `plain`.  BO_CORRUPT when anything of it is not as written; the
 * caller says which part.
 */
bo_status bo_pack_unseal(
    const bo_pack_lock *lock, uint64_t part, bo_span sealed, bo_buf *plain, bo_error *err);

/* ---- the writer ---- */

struct bo_pack_writer {
    bo_pack_kind kind;
    bo_sink sink;
    bo_pack_lock lock;
    bo_buf header; /* as stored: the root covers it */

    pthread_mutex_t mutex; /* of all below */
    uint64_t size;         /* written so far */
    bo_error broken;       /* why a write failed: what follows would be at a wrong place */
    bool finished;
    uint32_t range_count;
    bo_buf ranges;       /* as in the index */
    bo_buf range_tables; /* u32 of each range */
    uint32_t frame_count;
    bo_buf frames; /* as in the index */
    bo_buf sealed;
};

/** Appends one compressed frame: numbers it, encrypts it, notes it in the index.  Thread-safe. */
bo_status bo_pack_writer_append(
    bo_pack_writer *writer, bo_frame *frame, bo_span compressed, bo_error *err);

/* ---- the reader ---- */

struct bo_pack {
    bo_source source;
    bo_pack_kind kind;
    bo_pack_lock lock;
    uint8_t root[BO_ROOT_SIZE];
    json_t *meta;
    json_t *tail;
    bo_buf index; /* decrypted; ids of ranges point into it */
    uint32_t range_count;
    bo_pack_range *ranges;
    uint32_t frame_count;
    bo_frame *frames;
};

/** Takes the decrypted index apart; frames lie without gap between `begin` and `end` of the file.
 */
bo_status bo_pack_index_read(bo_pack *pack, uint64_t begin, uint64_t end, bo_error *err);

#endif
