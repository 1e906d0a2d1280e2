/**
 * Functions of the C library that a signal handler must not call, as signal-safety(7) has it: those of its list are safe,
 * and of all others these are the ones that handlers are found to call. The fortified ones are what gcc -O2 makes of them.
 */
export const unsafeFunctions = [
  ...['printf', 'fprintf', 'vprintf', 'vfprintf', 'puts', 'fputs', 'putchar', 'fputc', 'putc', 'fwrite'],
  ...['__printf_chk', '__fprintf_chk', '__vprintf_chk', '__vfprintf_chk', 'perror', 'psignal', 'fflush'],
  ...['sprintf', 'snprintf', 'vsnprintf', '__sprintf_chk', '__snprintf_chk', '__vsnprintf_chk', 'asprintf'],
  ...['fopen', 'fdopen', 'fclose', 'fread', 'fgets', 'getc', 'fgetc', 'scanf', 'sscanf', 'getline', 'syslog'],
  ...['malloc', 'calloc', 'realloc', 'free', 'strdup', 'exit', 'system', 'popen', 'strerror', 'strsignal'],
  ...['localtime', 'localtime_r', 'gmtime', 'ctime', 'asctime', 'strftime', 'mktime', 'getenv', 'setenv'],
  ...['getpwnam', 'getaddrinfo', 'gethostbyname', 'inet_ntoa', 'opendir', 'readdir', 'rand', 'random'],
  ...['pthread_mutex_lock', 'pthread_cond_signal', 'pthread_create', 'setjmp', 'longjmp'],
];
