/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/dice.h - random numbers that a seed repeats, on every machine. */
#ifndef BO_TESTS_PROPERTY_DICE_H
#define BO_TESTS_PROPERTY_DICE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dice {
    uint64_t state;
} dice;

/** SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014). */
static inline uint64_t dice_next(dice *d)
{
    uint64_t x = d->state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/** 0 ... below - 1; 0 for nothing to choose from. */
static inline unsigned dice_roll(dice *d, unsigned below)
{
    uint64_t x = dice_next(d) >> 33;
    return below ? (unsigned)(x % below) : 0;
}

static inline bool dice_chance(dice *d, unsigned percent)
{
    return dice_roll(d, 100) < percent;
}

#endif
