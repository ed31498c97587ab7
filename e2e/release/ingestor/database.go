package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// row is one record on its way into the table: the standard columns that the ingestor fills, then the features.
type row struct {
	label      any
	intent     string
	dataID     string
	filename   any
	extension  any
	annotation any
	ingestor   string
	features   []any // in the order of the features of the spec
}

// store is the release's database. Tests have one of their own.
type store interface {
	CreateTable(ctx context.Context, table string, features []column) error
	Insert(ctx context.Context, table string, features []column, rows []row) error
}

// database is the release's MySQL, with the defaults of contract/ingestor.md §3.1.
type database struct{ db *sql.DB }

func openDatabase(ctx context.Context, getenv func(string) string) (*database, error) {
	cfg := mysql.NewConfig()
	cfg.Net = "tcp"
	cfg.Addr = cmp.Or(getenv("MYSQL_HOST"), "localhost") + ":" + cmp.Or(getenv("MYSQL_PORT"), "3306")
	cfg.User = cmp.Or(getenv("DB_USER"), "edgeuser")
	cfg.Passwd = cmp.Or(getenv("DB_PASSWORD"), "Edg9@Tr@ce")
	cfg.Timeout = 10 * time.Second
	cfg.InterpolateParams = true
	name := cmp.Or(getenv("DB_NAME"), "training_test_datasets")
	server, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.Close() }()
	if _, err := server.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+identifier(name)); err != nil {
		return nil, fmt.Errorf("create database %q: %w", name, err)
	}
	cfg.DBName = name
	db, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	return &database{db: db}, nil
}

func connect(cfg *mysql.Config) (*sql.DB, error) {
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return sql.OpenDB(c), nil
}

// Close closes the connections.
func (d *database) Close() error { return d.db.Close() }

// identifier quotes a name for SQL.
func identifier(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// CreateTable makes the table, or takes one with the same feature columns as it is. A spec without features takes any.
func (d *database) CreateTable(ctx context.Context, table string, features []column) error {
	if err := checkColumns(features); err != nil {
		return err
	}
	there, err := d.columns(ctx, table)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return compareColumns(table, there, features)
	}
	defs := []string{standardColumns}
	for _, c := range features {
		t, err := sqlType(c.sqlType)
		if err != nil {
			return err
		}
		defs = append(defs, identifier(c.name)+" "+t)
	}
	if _, err := d.db.ExecContext(ctx, "CREATE TABLE "+identifier(table)+" ("+strings.Join(defs, ", ")+") DEFAULT CHARSET=utf8mb4"); err != nil {
		return fmt.Errorf("create table %q: %w", table, err)
	}
	return nil
}

func (d *database) columns(ctx context.Context, table string) ([]string, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?", table)
	if err != nil {
		return nil, fmt.Errorf("read the columns of table %q: %w", table, err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, rows.Err()
}

// Insert writes the rows with one statement; rows with the same data_id replace one another.
func (d *database) Insert(ctx context.Context, table string, features []column, rows []row) error {
	names := []string{"`label`", "`data_intent`", "`data_id`", "`filename`", "`extension`", "`annotation`", "`ingestor_id`"}
	for _, c := range features {
		names = append(names, identifier(c.name))
	}
	mark := "(" + strings.TrimSuffix(strings.Repeat("?,", len(names)), ",") + ")"
	marks := make([]string, len(rows))
	args := make([]any, 0, len(rows)*len(names))
	for i, r := range rows {
		marks[i] = mark
		args = append(args, r.label, r.intent, r.dataID, r.filename, r.extension, r.annotation, r.ingestor)
		args = append(args, r.features...)
	}
	updates := make([]string, len(names))
	for i, n := range names {
		updates[i] = n + "=VALUES(" + n + ")"
	}
	statement := strings.Join([]string{
		"INSERT INTO", identifier(table), "(", strings.Join(names, ","), ") VALUES", strings.Join(marks, ","), "ON DUPLICATE KEY UPDATE", strings.Join(updates, ","),
	}, " ")
	_, err := d.db.ExecContext(ctx, statement, args...)
	return err
}
