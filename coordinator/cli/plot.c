/* plot.c - see plot.h. */
#include "coordinator/cli/plot.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/svg.h"
#include "coordinator/planner/simulate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1000.0
#define HEIGHT 460.0
#define LEFT 60.0 /* of the curves */
#define TOP 84.0
#define CURVES 520.0
#define TALL 296.0
#define BARS 660.0 /* where the bars start */
#define BAR_WIDE 190.0
#define INK "#222222"
#define FAINT "#bbbbbb"

/* Colours that people with any sight can tell apart (Okabe and Ito). */
static const char *const colors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                     "#e69f00", "#56b4e9", "#000000", "#f0e442"};
#define COLORS (sizeof colors / sizeof colors[0])

static struct svg_point at(double x, double y)
{
    return (struct svg_point){x, y};
}

/* Rounds of other policies do less: their times are stretched to the work of one of the plan's. */
static double stretch(const struct simulation *s, const struct simulated_policy *p)
{
    const struct simulated_policy *plan = &s->policies[0];

    return known_f64(p->tokens_per_round) && p->tokens_per_round > 0
               ? plan->tokens_per_round / p->tokens_per_round
               : 1;
}

static double longest_round(const struct simulation *s)
{
    double most = 0.001;

    for (size_t i = 0; i < s->policies_count; i++)
        for (size_t k = 0; k < s->policies[i].round_ms_count; k++)
            most =
                fmax(most, stretch(s, &s->policies[i]) * (double)s->policies[i].round_ms[k] / 1000);
    return most;
}

/* A round number of seconds, minutes, hours or days, so that there are at most six of them. */
static double tick_of(double most)
{
    static const double ticks[] = {0.001, 0.002, 0.005, 0.01, 0.02,  0.05,  0.1,   0.2,
                                   0.5,   1,     2,     5,    10,    20,    30,    60,
                                   120,   300,   600,   1200, 1800,  3600,  7200,  14400,
                                   21600, 43200, 86400, 2e5,  432e3, 864e3, 864e4, 864e5};
    size_t i = 0;

    while (i + 1 < sizeof ticks / sizeof ticks[0] && most / ticks[i] > 6)
        i++;
    return fmax(ticks[i], most / 6);
}

static void axes(struct svg *s, double most, double tick, bool stretched)
{
    char text[FORMAT_MAX];

    for (int i = 0; i <= 4; i++) {
        double y = TOP + TALL * (1 - i / 4.0);

        svg_line(s, at(LEFT, y), at(LEFT + CURVES, y), i ? FAINT : INK, i ? 0.5 : 1);
        svg_words(s, at(LEFT - 8, y + 4), SVG_END, 12, INK, "%d %%", 25 * i);
    }
    for (int i = 0; i * tick <= most; i++) {
        double v = i * tick, x = LEFT + CURVES * v / most;

        svg_line(s, at(x, TOP + TALL), at(x, TOP + TALL + 5), INK, 1);
        svg_words(s, at(x, TOP + TALL + 20), SVG_MIDDLE, 12, INK, "%s", format_seconds(v, text));
    }
    svg_words(s, at(LEFT, TOP - 12), SVG_START, 13, INK,
              "share of rounds that are over after ...%s",
              stretched ? ", for the tokens of one round of the plan" : "");
}

static int i64_compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* A staircase: up at each round's time. */
static int curve(struct svg *s, const struct simulated_policy *p, double scale, const char *color,
                 struct err *err)
{
    size_t n = p->round_ms_count, points = 0;
    int64_t *sorted = mem_calloc(n + 1, sizeof *sorted);
    struct svg_point *line = mem_calloc(2 * n + 2, sizeof *line);

    if (!sorted || !line) {
        mem_free(sorted);
        mem_free(line);
        return err_set(err, ERR_NOMEM, "a curve of %zu rounds", n);
    }
    if (n > 0)
        memcpy(sorted, p->round_ms, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, i64_compare);
    line[points++] = at(LEFT, TOP + TALL);
    for (size_t i = 0; i < n; i++) {
        double x = LEFT + scale * (double)sorted[i] / 1000;

        line[points++] = at(x, TOP + TALL * (1 - (double)i / (double)n));
        line[points++] = at(x, TOP + TALL * (1 - (double)(i + 1) / (double)n));
    }
    line[points] = at(LEFT + CURVES, line[points - 1].y);
    svg_path(s, line, points + 1, color, 2);
    mem_free(sorted);
    mem_free(line);
    return 0;
}

static double energy_of(const struct simulated_policy *p)
{
    return known_f64(p->same_work_wh) ? p->same_work_wh : p->energy_wh_per_round;
}

static void bars(struct svg *s, const struct simulation *sim, double top, bool energy,
                 bool stretched)
{
    double most = 1, step = 144.0 / (double)(sim->policies_count ? sim->policies_count : 1);

    for (size_t i = 0; energy && i < sim->policies_count; i++)
        most = fmax(i ? most : 0, energy_of(&sim->policies[i]));
    svg_words(s, at(BARS, top - 8), SVG_START, 13, INK,
              !energy     ? "useful-work utilisation"
              : stretched ? "energy at the wall, for the same tokens"
                          : "energy at the wall per run");
    for (size_t i = 0; i < sim->policies_count; i++) {
        const struct simulated_policy *p = &sim->policies[i];
        double v = energy ? energy_of(p) : p->utilisation;
        double y = top + step * (double)i, tall = fmin(step - 4, 20);

        svg_box(s, at(BARS, y), most > 0 ? BAR_WIDE * v / most : 0, tall, colors[i % COLORS]);
        svg_words(s, at(BARS + (most > 0 ? BAR_WIDE * v / most : 0) + 6, y + tall - 4), SVG_START,
                  12, INK, energy ? "%s %.3g Wh" : "%s %.3g %%", p->name, energy ? v : 100 * v);
    }
}

static void legend(struct svg *s, const struct simulation *sim)
{
    double x = LEFT;

    for (size_t i = 0; i < sim->policies_count; i++) {
        svg_box(s, at(x, HEIGHT - 28), 18, 4, colors[i % COLORS]);
        svg_words(s, at(x + 24, HEIGHT - 22), SVG_START, 12, INK, "%s", sim->policies[i].name);
        x += 44 + 7.0 * (double)strlen(sim->policies[i].name);
    }
}

char *plot_simulation(const struct simulation *sim, size_t *len, struct err *err)
{
    double most = longest_round(sim) * 1.02, tick = tick_of(most);
    bool stretched = sim->policies_count > 0 && known_f64(sim->policies[0].tokens_per_round);
    struct svg s;
    int rc = 0;

    svg_begin(&s, WIDTH, HEIGHT, "Rounds of a job, by policy");
    svg_words(&s, at(LEFT, 24), SVG_START, 16, INK, "%s: simulated on %s",
              sim->job_id ? sim->job_id : "job", sim->fleet ? sim->fleet : "a fleet");
    svg_words(&s, at(LEFT, 42), SVG_START, 12, INK,
              "seed %lld, jitter %.3g, availability %s; times are the planner's predictions",
              (long long)sim->seed, sim->jitter, sim->availability ? sim->availability : "?");
    axes(&s, most, tick, stretched);
    for (size_t i = sim->policies_count; rc == 0 && i-- > 0;) /* the plan on top */
        rc = curve(&s, &sim->policies[i], CURVES / most * stretch(sim, &sim->policies[i]),
                   colors[i % COLORS], err);
    legend(&s, sim);
    bars(&s, sim, TOP, false, stretched);
    bars(&s, sim, TOP + 185, true, stretched);
    if (rc < 0) {
        buf_clear(&s.text);
        return NULL;
    }
    return svg_end(&s, len, err);
}
