/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/backout.h - all of libbackout. */
#ifndef BACKOUT_BACKOUT_H
#define BACKOUT_BACKOUT_H

#include "backout/audit.h"
#include "backout/backup.h"
#include "backout/doctor.h"
#include "backout/error.h"
#include "backout/export.h"
#include "backout/point.h"
#include "backout/rollback.h"
#include "backout/run.h"
#include "backout/session.h"

#endif
