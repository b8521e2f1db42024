/* power_darwin.c - see power.h. */
#include "agent/probe/power.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <string.h>

#define LOW_POWER_KEY "com.apple.system.lowpowermode"

void power_darwin_open(struct darwin_source *source)
{
    source->low_power_status =
        source->calls->notify_register_check(LOW_POWER_KEY, &source->low_power_token);
    if (source->low_power_status != 0)
        source->low_power_token = DARWIN_TOKEN_NONE;
}

void power_darwin_close(struct darwin_source *source)
{
    if (source->low_power_token != DARWIN_TOKEN_NONE)
        source->calls->notify_cancel(source->low_power_token);
    source->low_power_token = DARWIN_TOKEN_NONE;
}

static int put_low_power(const struct darwin_source *source, struct state *s, struct err *err)
{
    uint32_t status = source->low_power_status;
    uint64_t on = 0;

    if (status == 0)
        status = source->calls->notify_get_state(source->low_power_token, &on);
    if (status != 0)
        return state_unknown(s, err, "low_power_mode",
                             "notify " LOW_POWER_KEY " gives status %" PRIu32, status);
    if (on > 1)
        return state_unknown(s, err, "low_power_mode",
                             "notify " LOW_POWER_KEY " is %" PRIu64 ", wanted 0 or 1", on);
    s->low_power_mode = on ? TRI_TRUE : TRI_FALSE;
    return 0;
}

static int put_lid(const struct darwin_source *source, struct state *s, struct err *err)
{
    const char *missing = source->calls->registry_missing;
    uint32_t entry = missing ? 0 : darwin_service(source, "IOPMrootDomain");
    const void *value;
    bool closed, found;

    if (!entry)
        return state_unknown(s, err, "lid_closed", "%s",
                             missing ? missing : "the registry has no IOPMrootDomain");
    value = darwin_property(source, entry, "AppleClamshellState");
    found = darwin_cf_bool(source, value, &closed);
    if (value)
        source->calls->CFRelease(value);
    source->calls->IOObjectRelease(entry);
    if (!found)
        return state_unknown(s, err, "lid_closed", "no lid: AppleClamshellState is not there");
    s->lid_closed = closed ? TRI_TRUE : TRI_FALSE;
    return 0;
}

static int put_source(const struct darwin_source *source, const void *info, struct state *s,
                      struct err *err)
{
    char text[64];

    if (!darwin_cf_text(source, source->calls->IOPSGetProvidingPowerSourceType(info), text,
                        sizeof text))
        return state_unknown(s, err, "power_source", "IOPSGetProvidingPowerSourceType gives none");
    if (strcmp(text, "AC Power") == 0)
        s->power_source = POWER_SOURCE_AC;
    else if (strcmp(text, "Battery Power") == 0)
        s->power_source = POWER_SOURCE_BATTERY;
    else if (strcmp(text, "UPS Power") == 0)
        s->power_source = POWER_SOURCE_UPS;
    else
        return state_unknown(s, err, "power_source", "IOPSGetProvidingPowerSourceType gives \"%s\"",
                             text);
    return 0;
}

/* The battery inside: an external one (a UPS) may be listed before it, or alone. Borrowed. */
static const void *find_battery(const struct darwin_source *source, const void *info,
                                const void *list)
{
    const struct darwin_calls *c = source->calls;
    long count = c->CFGetTypeID(list) == c->CFArrayGetTypeID() ? c->CFArrayGetCount(list) : 0;
    const void *description;
    char type[64];
    bool present;

    for (long i = 0; i < count; i++) {
        description = c->IOPSGetPowerSourceDescription(info, c->CFArrayGetValueAtIndex(list, i));
        if (darwin_cf_text(source, darwin_cf_member(source, description, "Type"), type,
                           sizeof type) &&
            strcmp(type, "InternalBattery") == 0 &&
            (!darwin_cf_bool(source, darwin_cf_member(source, description, "Is Present"),
                             &present) ||
             present))
            return description;
    }
    return NULL;
}

static int put_battery(const struct darwin_source *source, const void *battery, struct state *s,
                       struct err *err)
{
    int64_t now, full;
    bool charging;
    int rc;

    if (!darwin_cf_i64(source, darwin_cf_member(source, battery, "Current Capacity"), &now) ||
        !darwin_cf_i64(source, darwin_cf_member(source, battery, "Max Capacity"), &full) ||
        full <= 0)
        rc = state_unknown(s, err, "battery_percent", "the battery states no capacity");
    else
        rc = state_put_f64(s, err, "battery_percent", 100.0 * (double)now / (double)full, NULL);
    if (rc < 0)
        return -1;
    if (!darwin_cf_bool(source, darwin_cf_member(source, battery, "Is Charging"), &charging))
        return state_unknown(s, err, "charging", "the battery does not say whether it is charging");
    s->charging = charging ? TRI_TRUE : TRI_FALSE;
    return 0;
}

static int explain_battery(struct state *s, const char *why, struct err *err)
{
    return state_unknown(s, err, "battery_percent", "%s", why) < 0 ||
                   state_unknown(s, err, "charging", "%s", why) < 0
               ? -1
               : 0;
}

/* `info` is NULL when the system gave none: `why`. */
static int put_batteries(const struct darwin_source *source, const void *info, const char *why,
                         struct state *s, struct err *err)
{
    const void *list = info ? source->calls->IOPSCopyPowerSourcesList(info) : NULL, *battery;
    int rc;

    if (!list)
        return state_unknown(s, err, "has_battery", "%s", why) < 0 ? -1
                                                                   : explain_battery(s, why, err);
    if ((battery = find_battery(source, info, list))) {
        s->has_battery = TRI_TRUE;
        rc = put_battery(source, battery, s, err);
    } else {
        s->has_battery = TRI_FALSE; /* the list is there, and has none */
        rc = explain_battery(s, "no battery", err);
    }
    source->calls->CFRelease(list);
    return rc;
}

int power_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    const char *missing = source->calls->registry_missing;
    const char *why = missing ? missing : "IOPSCopyPowerSourcesInfo gives nothing";
    const void *info = missing ? NULL : source->calls->IOPSCopyPowerSourcesInfo();
    int rc =
        info ? put_source(source, info, s, err) : state_unknown(s, err, "power_source", "%s", why);

    if (rc == 0)
        rc = put_batteries(source, info, why, s, err);
    if (info)
        source->calls->CFRelease(info);
    return rc < 0 || put_low_power(source, s, err) < 0 ? -1 : put_lid(source, s, err);
}
