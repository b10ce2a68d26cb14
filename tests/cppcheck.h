/* For make lint alone: the loops of jansson.h, which cppcheck does not read. */
#define PACKAGE_STRING ""
#define PACKAGE_NAME ""
#define PACKAGE_VERSION ""
#define json_array_foreach(array, index, value)                                                    \
	for (index = 0;                                                                            \
	     index < json_array_size(array) && (value = json_array_get(array, index)) != 0;        \
	     index++)
#define json_object_foreach(object, key, value)                                                    \
	for (key = json_object_first(object, &value); key != 0;                                    \
	     key = json_object_next(object, key, &value))
