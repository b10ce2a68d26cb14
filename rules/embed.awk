# Turns a text file into a C array of its lines: awk -f embed.awk default.yaml > default.c
BEGIN {
	print "/* made from default.yaml by embed.awk */"
	print "#include <stddef.h>\n"
	print "extern const char rules_default_text[];"
	print "extern const size_t rules_default_size;\n"
	print "const char rules_default_text[] ="
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	gsub(/\?/, "\\?")
	print "\t\"" $0 "\\n\""
}
END {
	print "\t;"
	print "const size_t rules_default_size = sizeof(rules_default_text) - 1;"
}
