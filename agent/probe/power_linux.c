/* power_linux.c - see power.h. */
#include "agent/probe/power.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/model/device.h"

#include <stdio.h>
#include <string.h>

#define SUPPLY_DIR "/sys/class/power_supply"
#define SUPPLIES_MAX 32 /* a laptop with two batteries, mains and every USB-C port has 8 */

static int supply_text(const struct linux_source *source, const char *supply, const char *key,
                       char *out, size_t size)
{
    char path[192];

    snprintf(path, sizeof path, SUPPLY_DIR "/%s/%s", supply, key);
    return linux_read(source, path, out, size) > 0 ? 0 : -1;
}

static int64_t supply_number(const struct linux_source *source, const char *supply, const char *key,
                             int64_t max)
{
    int64_t value = UNKNOWN_I64;
    char path[192];

    snprintf(path, sizeof path, SUPPLY_DIR "/%s/%s", supply, key);
    return linux_read_i64(source, path, 0, max, &value) == 0 ? value : UNKNOWN_I64;
}

/* Two batteries are shown as the emptier one: it is the first to end. */
static void take_battery(const struct linux_source *source, const char *supply, struct state *s)
{
    int64_t percent = supply_number(source, supply, "capacity", 100);
    char status[32] = "";

    s->has_battery = TRI_TRUE;
    if (known_i64(percent) &&
        (!known_f64(s->battery_percent) || (double)percent < s->battery_percent))
        s->battery_percent = (double)percent;
    if (supply_text(source, supply, "status", status, sizeof status) == 0 &&
        s->charging != TRI_TRUE)
        s->charging = strcmp(status, "Charging") == 0 ? TRI_TRUE : TRI_FALSE;
    if (strcmp(status, "Discharging") == 0 && s->power_source == POWER_SOURCE_UNSET)
        s->power_source = POWER_SOURCE_BATTERY;
}

/* A supply of a mouse or pen says scope "Device". */
static void take_supply(const struct linux_source *source, const char *supply, struct state *s)
{
    char type[32], scope[32];

    if (supply_text(source, supply, "type", type, sizeof type) < 0 ||
        (supply_text(source, supply, "scope", scope, sizeof scope) == 0 &&
         strcmp(scope, "Device") == 0))
        return;
    if (strcmp(type, "Battery") == 0)
        take_battery(source, supply, s);
    else if ((strcmp(type, "Mains") == 0 || strcmp(type, "USB") == 0) &&
             supply_number(source, supply, "online", 1) == 1)
        s->power_source = POWER_SOURCE_AC;
}

static int fill_lid(const struct linux_source *source, struct state *s, struct err *err)
{
    char names[1][LINUX_NAME_MAX], path[160], text[64];
    size_t count = 0;

    if (linux_list(source, "/proc/acpi/button/lid", names, 1, &count) == 0 && count == 1) {
        snprintf(path, sizeof path, "/proc/acpi/button/lid/%s/state", names[0]);
        if (linux_read(source, path, text, sizeof text) > 0 &&
            (strstr(text, "open") || strstr(text, "closed"))) {
            s->lid_closed = strstr(text, "closed") ? TRI_TRUE : TRI_FALSE;
            return 0;
        }
    }
    return state_unknown(s, err, "lid_closed", "no lid switch");
}

int power_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    char names[SUPPLIES_MAX][LINUX_NAME_MAX];
    size_t count = 0;
    int listed = linux_list(source, SUPPLY_DIR, names, SUPPLIES_MAX, &count);

    for (size_t i = 0; i < count; i++)
        take_supply(source, names[i], s);
    if (listed == 0 && s->has_battery == TRI_UNKNOWN)
        s->has_battery = TRI_FALSE;
    if (s->has_battery == TRI_UNKNOWN &&
        state_unknown(s, err, "has_battery", "%s is not there", SUPPLY_DIR) < 0)
        return -1;
    if (s->power_source == POWER_SOURCE_UNSET &&
        state_unknown(s, err, "power_source", "%s lists no supply that feeds it", SUPPLY_DIR) < 0)
        return -1;
    if (!known_f64(s->battery_percent) &&
        state_unknown(s, err, "battery_percent",
                      s->has_battery == TRI_TRUE ? "the battery states no capacity"
                                                 : "no battery") < 0)
        return -1;
    if (s->charging == TRI_UNKNOWN &&
        state_unknown(s, err, "charging",
                      s->has_battery == TRI_TRUE ? "the battery states no status" : "no battery") <
            0)
        return -1;
    if (state_unknown(s, err, "low_power_mode", "Linux has no low-power mode") < 0)
        return -1;
    return fill_lid(source, s, err);
}
