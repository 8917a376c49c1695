/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_image.c - an image that is accepted can be taken apart and put together again. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/scope.h"
#include "data/digest.h"

static void check(bo_image image)
{
    static bo_value values[BO_COLUMNS_MAX];
    static uint16_t columns[BO_COLUMNS_MAX];
    BO_OWN_VALUE(bo_buf) copy = {0};
    uint16_t count = bo_image_count(image);
    bo_image_values(image, values);
    bo_image_begin(&copy, count);
    for (uint16_t i = 0; i < count; i++) {
        columns[i] = i;
        if (values[i].size < 0)
            bo_image_add_null(&copy);
        else
            bo_image_add(&copy, values[i].data, values[i].size);
    }
    if (!bo_image_equal(image, (bo_image){copy.data, copy.size}))
        abort();
    if (count > 64) /* a projection walks from the start for every column */
        return;
    bo_buf_clear(&copy);
    bo_image_project(&copy, image, columns, count);
    if (!bo_image_equal(image, (bo_image){copy.data, copy.size}))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bo_span rest = {data, size};
    bo_digest digest = {0};
    size_t used = 0;
    while (rest.size > 0 && bo_image_measure(rest, &used, NULL) == BO_OK) {
        check((bo_image){rest.data, used});
        bo_digest_add(&digest, (bo_image){rest.data, used});
        rest = (bo_span){rest.data + used, rest.size - used};
    }
    return digest.rows > size ? abort(), 0 : 0;
}
