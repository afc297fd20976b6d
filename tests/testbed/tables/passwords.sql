-- After sql/grants.sql: what it leaves to the operator.
ALTER USER pureftpd@localhost IDENTIFIED BY 'pureftpd-password';
CREATE USER tempoftp@127.0.0.1 IDENTIFIED BY 'tempoftp-password';
GRANT SELECT, INSERT, UPDATE, DELETE ON pureftpd.users TO tempoftp@127.0.0.1;
