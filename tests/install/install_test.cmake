# Arguments: BUILD_DIR, WORK_DIR, CONSUMER_DIR, EXAMPLE, EMBEDDED_EXAMPLE, GENERATOR, COMPILER,
# C_COMPILER, SANITIZE.
set(prefix ${WORK_DIR}/prefix)
set(consumer_build ${WORK_DIR}/consumer)
file(REMOVE_RECURSE ${prefix} ${consumer_build})

# The consumer must find the package under this prefix and nowhere else.
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

set(flags "-Wall -Wextra -Wpedantic -Werror")
if(SANITIZE)
  string(APPEND flags " -fsanitize=${SANITIZE}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CONSUMER_DIR} -B ${consumer_build} -G ${GENERATOR}
    -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_CXX_COMPILER=${COMPILER}
    -D CMAKE_CXX_FLAGS=${flags}
    -D CMAKE_C_COMPILER=${C_COMPILER}
    -D CMAKE_C_FLAGS=${flags}
    -D CMAKE_PREFIX_PATH=${prefix}
    -D EXAMPLE=${EXAMPLE}
    -D EMBEDDED_EXAMPLE=${EMBEDDED_EXAMPLE}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${consumer_build} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${consumer_build}/messages_only COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${consumer_build}/example_embedded COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${consumer_build}/embedded_consumer COMMAND_ERROR_IS_FATAL ANY)

# The installed engine serves the consumer. The shell is what can wait for a line of a process that
# goes on running.
execute_process(
  COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/serve_consumer.sh ${prefix}/bin/shmatchd
    ${consumer_build}/consumer
  COMMAND_ERROR_IS_FATAL ANY)
