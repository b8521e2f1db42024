/* Files made part of the program by espalier_embed arrive byte for byte. */
#include "common/core/embed.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

extern const struct embedded_file embedded[];
extern const size_t embedded_count;

static void same_as_the_file(const char *name)
{
    const struct embedded_file *f = embed_find(embedded, embedded_count, name);
    char *path, *data;
    size_t len;

    path = file_path(NULL, "%s/%s", EMBED_SOURCE_DIR, name);
    assert_non_null(path);
    assert_int_equal(file_read(path, 4096, &data, &len, NULL), 0);
    assert_non_null(f);
    assert_int_equal(f->len, len);
    assert_memory_equal(f->data, data, len);
    assert_int_equal(f->data[len], 0);
    mem_free(data);
    mem_free(path);
}

static void embedded_files_are_whole(void **state)
{
    (void)state;
    assert_int_equal(embedded_count, 3);
    assert_string_equal(embedded[0].name, "poem.txt");
    same_as_the_file("poem.txt");
    same_as_the_file("empty.txt");
    same_as_the_file("bytes.bin");
}

static void unknown_names_are_not_found(void **state)
{
    (void)state;
    assert_null(embed_find(embedded, embedded_count, "poem"));
    assert_null(embed_find(embedded, embedded_count, ""));
    assert_null(embed_find(NULL, 0, "poem.txt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedded_files_are_whole),
        cmocka_unit_test(unknown_names_are_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
