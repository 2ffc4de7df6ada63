-- Runs once, on an empty volume. Each service owns one database and reads no other.
CREATE DATABASE gateway;
CREATE DATABASE templates;
CREATE DATABASE users;
