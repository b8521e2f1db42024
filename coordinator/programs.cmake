# espalier-coordinator: the application object and its main, over all rooms of this folder.
espalier_program(espalier-coordinator
    SOURCES main.c coordinator.c on_agents.c on_calibration.c on_inspect.c on_requests.c on_store.c plans.c replies.c
            signatures.c
    USES coordinator/config coordinator/cycle coordinator/delivery coordinator/fleet coordinator/front
         coordinator/lm coordinator/planner coordinator/signature coordinator/store common/document
         common/settings)
target_compile_definitions(espalier-coordinator PRIVATE ESPALIER_VERSION="${PROJECT_VERSION}")
install(TARGETS espalier-coordinator RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
