#!/bin/sh
# Starts Debian's MariaDB server as the current user. On an empty volume it makes the system tables first; a start that
# was interrupted in between is done again, because the mark comes last.
set -eu
data=/var/lib/mysql/data
mark=/var/lib/mysql/.initialized
run=/var/run/mysqld

quote() { # a string as an SQL literal
	printf "'%s'" "$(printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")"
}

if [ ! -e "$mark" ]; then
	echo "making the system tables in $data"
	rm -rf "$data"
	mkdir -p "$data"
	{
		printf '%s\n' 'create database mysql;' 'use mysql;'
		cd /usr/share/mysql
		cat mysql_system_tables.sql mysql_performance_tables.sql mysql_system_tables_data.sql maria_add_gis_sp_bootstrap.sql
	} | mariadbd --no-defaults --bootstrap --datadir="$data" --lc-messages-dir=/usr/share/mysql \
		--log-warnings=0 --enforce-storage-engine= --innodb-log-file-size=16M --tmpdir=/tmp
	: >"$mark"
fi

{
	echo "create database if not exists \`$MARIADB_DATABASE\`;"
	echo "create user if not exists $(quote "$MARIADB_USER")@'%' identified by $(quote "$MARIADB_PASSWORD");"
	echo "grant all privileges on *.* to $(quote "$MARIADB_USER")@'%';"
} >/tmp/init.sql

exec mariadbd --defaults-extra-file=/etc/mysql/conf.d/mysql.cnf --datadir="$data" --lc-messages-dir=/usr/share/mysql \
	--socket="$run/mysqld.sock" --pid-file="$run/mysqld.pid" --tmpdir=/tmp --init-file=/tmp/init.sql \
	--bind-address=0.0.0.0 --port=3306 --skip-name-resolve
