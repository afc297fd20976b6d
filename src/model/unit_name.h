/* Names of units, and back. docs/INTERNALS.md "Life and run". */
#pragma once

#include "model/request.h"

#define UNIT_NAME_SIZE 256

#define UNIT_ID_MAX (ID_MAX + 11) /* what names a unit among those of its kind: a request's id, of an export "<id>-<n>" */

typedef enum UnitKind { UNIT_TRANSFER, UNIT_PURGE, UNIT_EXPORT, UNIT_EXPIRE, UNIT_DROP, UNIT_SESSIONS, UNIT_PROBE, UNIT_KIND_MAX } UnitKind;

const char *unit_kind_name(UnitKind k);
int unit_kind_parse(const char *name, UnitKind *ret) _must_use_;

/* "<id>-<n>": the unit id of the n-th export of a request's life; n is 1 or more. */
void export_unit_id_make(const char *id, uint32_t n, char ret[static UNIT_ID_MAX + 1]);
/* Back; -EINVAL for anything that the function above would not have made. */
int export_unit_id_parse(const char *unit_id, char ret_id[static ID_MAX + 1], uint32_t *ret_n) _must_use_;

/* tempoftp-<kind>-<unit id>.service (".timer" for UNIT_EXPIRE with timer true). */
void unit_name_make(UnitKind k, const char *id, bool timer, char ret[static UNIT_NAME_SIZE]);
/* tempoftp-done@<kind>-<life>-<run>-<unit id>.service, or tempoftp-failed@… */
void report_unit_name_make(bool failed, UnitKind k, uint64_t life, uint32_t run, const char *id, char ret[static UNIT_NAME_SIZE]);

typedef struct ReportUnit {
    bool failed;
    UnitKind kind;
    uint64_t life;
    uint32_t run;
    uint32_t n; /* of UNIT_EXPORT; else 0 */
    char id[ID_MAX + 1];
} ReportUnit;
/* -EINVAL for anything that the function above would not have made. */
int report_unit_name_parse(const char *name, ReportUnit *ret) _must_use_;
/* The unit id of "tempoftp-transfer-<id>.service" and friends; -EINVAL. */
int unit_name_parse(const char *name, UnitKind *ret_kind, char ret_unit_id[static UNIT_ID_MAX + 1]) _must_use_;
