# The libraries we stand on, found with pkg-config, as targets dep_NAME.
#
# Only what this build uses is asked for, and all that is missing is named at once, with the
# packages that bring it.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(espalier_missing "")
set(espalier_missing_debian "")
set(espalier_missing_brew "")

# espalier_dependency(NAME pkg-config-module debian-package brew-formula): dep_NAME
macro(espalier_dependency name module debian brew)
    pkg_check_modules(dep_${name} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(dep_${name}_FOUND)
        add_library(dep_${name} INTERFACE)
        target_link_libraries(dep_${name} INTERFACE PkgConfig::dep_${name})
    else()
        string(APPEND espalier_missing "  ${module} (Debian: ${debian}, Homebrew: ${brew})\n")
        string(APPEND espalier_missing_debian " ${debian}")
        string(APPEND espalier_missing_brew " ${brew}")
    endif()
endmacro()

espalier_dependency(zmq libzmq libzmq3-dev zeromq)
espalier_dependency(sodium libsodium libsodium-dev libsodium)
espalier_dependency(protobuf_c libprotobuf-c libprotobuf-c-dev protobuf-c)
espalier_dependency(cjson libcjson libcjson-dev cjson)
if(ESPALIER_INIH)
    espalier_dependency(inih inih libinih-dev inih)
endif()
if(ESPALIER_COORDINATOR)
    espalier_dependency(curl libcurl libcurl4-openssl-dev curl)
    espalier_dependency(sqlite sqlite3 libsqlite3-dev sqlite)
endif()
if(ESPALIER_TESTS)
    espalier_dependency(cmocka cmocka libcmocka-dev cmocka)
endif()

if(espalier_missing)
    message(FATAL_ERROR "Libraries that this build needs and pkg-config does not find:\n"
            "${espalier_missing}"
            "On Debian and Ubuntu:\n  apt-get install${espalier_missing_debian}\n"
            "On macOS:\n  brew install${espalier_missing_brew}")
endif()
